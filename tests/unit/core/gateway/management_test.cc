#include "core/gateway/management.h"

#include <gtest/gtest.h>

namespace ginnel::gateway {
namespace {

TEST(SshPeer, IsTheFirstOfFourWords) {
  struct Row {
    const char* text;
    const char* peer;  // Null: there is none.
  };
  const Row rows[] = {
      {"192.0.2.7 50022 192.0.2.1 22", "192.0.2.7"},
      {"2001:db8::7 50022 2001:db8::1 22", "2001:db8::7"},
      {"fe80::7%eth0 50022 fe80::1%eth0 22", "fe80::7"},
      {" 192.0.2.7 50022 192.0.2.1 22\n", "192.0.2.7"},
      {"", nullptr},
      {"192.0.2.7", nullptr},
      {"192.0.2.7 50022 192.0.2.1", nullptr},
      {"192.0.2.7 50022 192.0.2.1 22 1", nullptr},
      {"192.0.2.7 0 192.0.2.1 22", nullptr},
      {"192.0.2.7 65536 192.0.2.1 22", nullptr},
      {"host 50022 192.0.2.1 22", nullptr},
      {"0.0.0.0 50022 192.0.2.1 22", nullptr},
      {"UNKNOWN 65535 UNKNOWN 65535", nullptr},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.text);
    const auto peer = ssh_peer(row.text);
    ASSERT_EQ(peer.has_value(), row.peer != nullptr);
    if (peer) {
      EXPECT_EQ(peer->to_string(), row.peer);
    }
  }
}

TEST(IsOnLink, KnowsTheNetworksOfOwnInterfacesOnly) {
  const auto own = [](const char* interface, const char* address) {
    return hostnet::AssignedAddress{.interface = interface,
                                    .address = *net::InterfaceAddress::parse(address)};
  };
  const hostnet::HostState host{
      .links = {{.name = "lo", .loopback = true}, {.name = "eth0"}, {.name = "provider"}},
      .addresses = {own("lo", "127.0.0.1/8"), own("eth0", "192.0.2.1/24"),
                    own("eth0", "fe80::1/64"), own("provider", "10.2.0.2/16")}};
  struct Row {
    const char* address;
    bool on_link;
  };
  const Row rows[] = {
      {"192.0.2.7", true},  {"192.0.2.1", false},  // Itself: a tunnelled port, not a neighbour.
      {"192.0.3.7", false}, {"fe80::7", true},    {"2001:db8::7", false},
      {"10.2.0.1", false},  {"127.0.0.5", false}, {"::1", false},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.address);
    EXPECT_EQ(is_on_link(host, *net::Address::parse(row.address), {"provider"}), row.on_link);
  }
}

}  // namespace
}  // namespace ginnel::gateway
