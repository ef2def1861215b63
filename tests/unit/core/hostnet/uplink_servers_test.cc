#include "core/hostnet/uplink_servers.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace ginnel::hostnet {
namespace {

net::Address address(std::string_view text) { return net::Address::parse(text).value(); }

constexpr std::string_view kNetworkd = R"(# This is private data. Do not parse.
ADDRESS=192.0.2.50
NETMASK=255.255.255.0
ROUTER=192.0.2.1
SERVER_ADDRESS=192.0.2.1
T1=1800
DNS=192.0.2.53 9.9.9.9
DOMAINNAME=home
)";

constexpr std::string_view kDhclient = R"(lease {
  interface "eth0";
  fixed-address 192.0.2.50;
  option dhcp-server-identifier 192.0.2.9;
  option domain-name-servers 192.0.2.9;
  renew 6 2026/11/21 10:00:00;
}
lease {
  interface "eth0";
  fixed-address 192.0.2.50;
  option dhcp-server-identifier 192.0.2.1;
  option domain-name-servers 192.0.2.53,9.9.9.9;
  option domain-name "it is 192.0.2.77; really";
}
lease {
  interface "eth1";
  option dhcp-server-identifier 198.51.100.1;
}
lease6 {
  interface "eth01";
  option dhcp6.name-servers 2001:db8::53;
}
)";

TEST(UplinkServers, AreThoseOfNetworkdsLease) {
  EXPECT_EQ(read_networkd_lease(kNetworkd),
            (UplinkServers{.dhcp = {address("192.0.2.1")},
                           .dns = {address("192.0.2.53"), address("9.9.9.9")}}));
  EXPECT_EQ(read_networkd_lease(""), UplinkServers{});
  EXPECT_EQ(read_networkd_lease("SERVER_ADDRESS=\nDNS=nobody\n"), UplinkServers{});
}

TEST(UplinkServers, AreThoseOfTheInterfacesLastLease) {
  EXPECT_EQ(read_dhclient_leases(kDhclient, "eth0"),
            (UplinkServers{.dhcp = {address("192.0.2.1")},
                           .dns = {address("192.0.2.53"), address("9.9.9.9")}}));
  EXPECT_EQ(read_dhclient_leases(kDhclient, "eth1").dhcp, std::vector{address("198.51.100.1")});
  EXPECT_EQ(read_dhclient_leases(kDhclient, "eth01").dns, std::vector{address("2001:db8::53")});
  EXPECT_EQ(read_dhclient_leases(kDhclient, "eth"), UplinkServers{});
  // A lease that is still being written does not count.
  const std::string_view cut = kDhclient.substr(0, kDhclient.find("option domain-name \""));
  EXPECT_EQ(read_dhclient_leases(cut, "eth0").dhcp, std::vector{address("192.0.2.9")});
}

TEST(UplinkServers, AreThoseOfDhcpcdsMessage) {
  std::vector<std::uint8_t> message(240, 0);
  EXPECT_EQ(read_dhcpcd_lease(message), UplinkServers{});
  store<Be32>(ByteSpan(message).subspan(236), 0x63825363u);
  EXPECT_EQ(read_dhcpcd_lease(message), UplinkServers{});
  const std::vector<std::uint8_t> options = {53, 1,   5, 0, 54, 4, 192, 0, 2, 1,   6,
                                             8,  192, 0, 2, 53, 9, 9,   9, 9, 255, 54};
  message.insert(message.end(), options.begin(), options.end());
  const UplinkServers all = read_dhcpcd_lease(message);
  EXPECT_EQ(all, (UplinkServers{.dhcp = {address("192.0.2.1")},
                                .dns = {address("192.0.2.53"), address("9.9.9.9")}}));
  // However much of it there is, nothing behind its end is read.
  for (std::size_t size = 0; size < message.size(); ++size) {
    const std::vector<std::uint8_t> part(message.begin(),
                                         message.begin() + static_cast<std::ptrdiff_t>(size));
    const UplinkServers some = read_dhcpcd_lease(part);
    EXPECT_TRUE(some.dhcp.empty() || some.dhcp == all.dhcp);
  }
}

TEST(UplinkServers, AreThoseOfResolvConf) {
  EXPECT_EQ(read_resolv_conf("# nameserver 192.0.2.7\nnameserver 127.0.0.53\n"
                             "  nameserver\t192.0.2.53 # the router's\nnameserver fe80::1%eth0\n"
                             "nameservers 192.0.2.8\nnameserver\nsearch 192.0.2.9\n")
                .dns,
            (std::vector{address("192.0.2.53"), address("fe80::1")}));
}

TEST(UplinkServers, AreFewAndPossible) {
  UplinkServers servers;
  servers.add({.dhcp = {address("0.0.0.0"), address("127.0.0.1"), address("224.0.0.1"),
                        address("::"), address("192.0.2.1"), address("192.0.2.1")}});
  EXPECT_EQ(servers.dhcp, std::vector{address("192.0.2.1")});
  for (const std::size_t count : {UplinkServers::kMaxServers - 1, UplinkServers::kMaxServers,
                                  UplinkServers::kMaxServers + 1}) {
    std::string text;
    for (std::size_t i = 1; i <= count; ++i) text += fmt::format("nameserver 192.0.2.{}\n", i);
    EXPECT_EQ(read_resolv_conf(text).dns.size(), std::min(count, UplinkServers::kMaxServers));
  }
}

}  // namespace
}  // namespace ginnel::hostnet
