// Hosts with ports as people write them, and the files that name a host's resolvers: what is taken
// is an address, or a name that a resolver may be asked for, and nothing else gets to a client.
#include "base/check.h"
#include "core/config/host_port.h"
#include "core/server/client_dns.h"

namespace ginnel {
namespace {

void read_host_port(std::string_view text) {
  const auto parsed = config::HostPort::parse(text);
  if (!parsed) {
    CHECK(!parsed.error().message.empty() && parsed.error().message.size() < 2000);
    return;
  }
  CHECK(parsed->host.size() <= config::kMaxHostName);
  CHECK(parsed->address().has_value() || config::is_host_name(parsed->host));
  CHECK(!parsed->port || *parsed->port != 0);
  const std::string written = parsed->to_string(51820);
  const auto again = config::HostPort::parse(written);
  CHECK(again && again->host == parsed->host && again->port == parsed->port.value_or(51820));
}

void read_resolv_conf(std::string_view text) {
  const std::size_t middle = text.size() / 2;
  for (const bool ipv6 : {false, true}) {
    const auto chosen = server::choose_client_dns(
        {.resolv_conf = text.substr(0, middle), .behind_a_stub = text.substr(middle)}, ipv6);
    CHECK(!chosen.empty() && chosen.size() <= server::kMaxClientResolvers);
    for (const net::Address& address : chosen) {
      CHECK(!address.is_loopback() && !address.is_unspecified() && !address.is_multicast());
      CHECK(address.is_v4() || (ipv6 && !address.is_link_local()));
    }
  }
}

}  // namespace
}  // namespace ginnel

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  ginnel::read_host_port(text);
  ginnel::read_resolv_conf(text);
  return 0;
}
