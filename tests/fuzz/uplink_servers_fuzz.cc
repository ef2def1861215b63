// Leases and resolv.conf, which other programs write by what a DHCP server said. Whatever stands
// there, few servers come out of it, each once and such as a host can have.
#include "base/check.h"
#include "core/hostnet/uplink_servers.h"

namespace ginnel::hostnet {
namespace {

void check(const UplinkServers& servers) {
  for (const auto* list : {&servers.dhcp, &servers.dns}) {
    CHECK(list->size() <= UplinkServers::kMaxServers);
    for (const net::Address& server : *list) {
      CHECK(!server.is_unspecified() && !server.is_loopback() && !server.is_multicast());
    }
  }
  UplinkServers again = servers;
  again.add(servers);
  CHECK(again == servers);
}

}  // namespace
}  // namespace ginnel::hostnet

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ginnel::hostnet;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check(read_networkd_lease(text));
  check(read_dhclient_leases(text, "eth0"));
  check(read_dhcpcd_lease({data, size}));
  check(read_resolv_conf(text));
  return 0;
}
