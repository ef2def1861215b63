// What `ginnel up` wrote down of a tunnel, and of /etc/resolv.conf, as somebody may have left it on
// the disk: it says what is taken back as root. What is read stays below its limits and keeps its
// meaning.
#include "base/check.h"
#include "core/hostnet/standing_record.h"

namespace ginnel::hostnet {
namespace {

void check_error(const Error& error) {
  CHECK(error.message.size() < 256);
  CHECK(error.message.find('\n') == std::string::npos);
}

void read_record(std::string_view text) {
  const auto record = StandingRecord::parse(text);
  if (!record) return check_error(record.error());
  CHECK(record->rules.size() <= StandingRecord::kMaxRules);
  CHECK(record->dns.servers.size() <= StandingRecord::kMaxDns);
  CHECK(record->silenced.size() <= StandingRecord::kMaxSilenced);
  CHECK(record->interface.addresses.size() <= StandingRecord::kMaxAddresses);
  CHECK(!record->owner.interface.empty());
  const auto again = StandingRecord::parse(record->to_text());
  CHECK(again && again->to_text() == record->to_text());
}

void read_stack(std::string_view text) {
  auto stack = ResolverStack::parse(text);
  if (!stack) return check_error(stack.error());
  CHECK(stack->owners().size() <= ResolverStack::kMaxOwners);
  const auto again = ResolverStack::parse(stack->to_text());
  CHECK(again && *again == *stack);
  for (const Owner& owner : stack->owners())
    stack->pop(owner, std::string("nameserver 192.0.2.1\n"));
  CHECK(stack->empty());
}

}  // namespace
}  // namespace ginnel::hostnet

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  ginnel::hostnet::read_record(text);
  ginnel::hostnet::read_stack(text);
  return 0;
}
