#include "service/quick/aside.h"

#include <fmt/format.h>

#include "base/text.h"
#include "os/descriptor_channel.h"
#include "os/forked_process.h"
#include "os/process.h"

namespace ginnel::quick {
namespace {

constexpr Duration kAnswerLimit = 10min;
constexpr int kKillSignal = 9;

// An answer, or '!', the error's number, ':' and its message.
constexpr char kFailed = '!';

std::string text_of(const Result<std::string>& answer) {
  if (answer) return "." + *answer;
  return fmt::format("{}{}:{}", kFailed, std::to_underlying(answer.error().code),
                     answer.error().message);
}

Result<std::string> answer_of(std::string_view text) {
  if (!text.empty() && text[0] != kFailed) return std::string(text.substr(1));
  const std::size_t colon = text.find(':');
  const auto code = colon == std::string_view::npos
                        ? std::nullopt
                        : parse_number<int>(text.substr(1, colon - 1), 0, 100);
  if (!code) return fail(ErrorCode::Unavailable, "the process that asked ended without an answer");
  return fail(static_cast<ErrorCode>(*code), std::string(text.substr(colon + 1)));
}

}  // namespace

Result<std::string> ask_aside(const std::function<Result<std::string>()>& question,
                              Interruption& interruption) {
  auto ends = os::DescriptorChannel::make();
  if (!ends) return pass(std::move(ends));
  const int self = os::process_id();
  const auto child = os::fork_process();
  if (!child) return std::unexpected(child.error());
  if (*child == 0) {
    const bool told = os::die_with(self) && ends->second.send(text_of(question())).has_value();
    os::end_at_once(told ? 0 : 1);
  }
  os::DescriptorChannel ours = std::move(ends->first);
  // So that its end is heard of.
  {
    const os::DescriptorChannel theirs = std::move(ends->second);
  }
  Status going = interruption.wait_for(ours.fd(), kAnswerLimit);
  if (!going) os::send_signal(*child, kKillSignal);
  const auto message = going ? ours.receive() : std::nullopt;
  os::await_exit_code(*child);
  if (!going) return pass(std::move(going));
  return answer_of(message ? message->text : std::string());
}

}  // namespace ginnel::quick
