// The pinned names of endpoints, as somebody may have left them on the disk, and what SSH says of
// itself in the environment. What is read stays below its limits and keeps its meaning.
#include "base/check.h"
#include "core/gateway/management.h"
#include "core/gateway/pinned_names.h"

namespace ginnel::gateway {
namespace {

void read(std::string_view text) {
  if (const auto peer = ssh_peer(text)) CHECK(!peer->is_unspecified());
  auto pinned = PinnedNames::parse(text);
  if (!pinned) {
    CHECK(pinned.error().message.size() < 512);
    return;
  }
  const auto again = PinnedNames::parse(pinned->to_text());
  CHECK(again && *again == *pinned);
  const net::Address address = net::Address::v4({192, 0, 2, 7});
  if (pinned->pin("vpn.example", {address})) {
    CHECK(pinned->find("vpn.example").front() == address);
    CHECK(PinnedNames::parse(pinned->to_text()));
  }
}

}  // namespace
}  // namespace ginnel::gateway

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ginnel::gateway::read({reinterpret_cast<const char*>(data), size});
  return 0;
}
