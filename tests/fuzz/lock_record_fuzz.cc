// What is on disk of a kill switch, as somebody may have left it: it says what may leave the host.
// What is read keeps its meaning.
#include "base/check.h"
#include "core/hostnet/lock_record.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ginnel::hostnet;
  const auto policy =
      parse_lock_policy(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!policy) {
    CHECK(policy.error().message.size() < 256);
    CHECK(policy.error().message.find('\n') == std::string::npos);
    return 0;
  }
  CHECK(check(*policy));
  const auto again = parse_lock_policy(to_text(*policy));
  CHECK(again && *again == *policy);
  return 0;
}
