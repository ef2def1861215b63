#include "service/tunnel/host_lookups.h"

#include <system_error>
#include <thread>

#include "base/check.h"

namespace ginnel::tunnel {

Result<HostLookups> HostLookups::create(LookUp look_up) {
  auto flag = os::EventFd::create();
  if (!flag) return pass(std::move(flag));
  return HostLookups(std::make_shared<Shared>(std::move(*flag), std::move(look_up)));
}

void HostLookups::ask(const std::string& name) {
  CHECK(pending_ < kMaxPending);
  ++pending_;
  // Left to itself: whoever ends must not wait for a resolver.
  try {
    std::thread([shared = shared_, name] {
      CHECK(shared->answers.push({name, shared->look_up(name)}));
      shared->flag.raise();
    }).detach();
  } catch (const std::system_error& error) {
    CHECK(shared_->answers.push(
        {name, fail(ErrorCode::Exhausted, "look up " + name + ": " + error.what())}));
    shared_->flag.raise();
  }
}

std::vector<HostLookups::Answer> HostLookups::take_answers() {
  shared_->flag.take();
  std::vector<Answer> answers;
  shared_->answers.drain(answers);
  pending_ -= answers.size();
  return answers;
}

}  // namespace ginnel::tunnel
