#include "service/killswitch/request.h"

#include <gtest/gtest.h>

#include "unit/core/hostnet/lock_samples.h"
#include "unit/os/temporary_directory.h"

namespace ginnel::killswitch {
namespace {

using hostnet::HostState;
using hostnet::LockPolicy;
using hostnet::LockState;
using hostnet::to_address;
using hostnet::to_endpoint;
using hostnet::to_prefix;

constexpr const char* kKeys =
    "[Interface]\nPrivateKey = AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE=\n";
constexpr const char* kPeer = "[Peer]\nPublicKey = AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAI=\n";

// On eth0 in 192.0.2.0/24 and a private network.
HostState host() {
  const auto own = [](const char* text) {
    return hostnet::AssignedAddress{.interface = "eth0",
                                    .address = net::InterfaceAddress::parse(text).value()};
  };
  return {.links = {{.index = 1, .name = "lo", .loopback = true},
                    {.index = 2, .name = "eth0", .up = true, .running = true}},
          .addresses = {own("192.0.2.2/24"), own("192.168.7.2/24")},
          .routes = {{.destination = to_prefix("192.0.2.0/24"), .interface = "eth0"},
                     {.destination = to_prefix("9.9.9.0/24"), .interface = "eth0"}}};
}

class RequestTest : public testing::Test {
 protected:
  Result<LockPolicy> policy(const Request& request, const HostState& state = host()) {
    auto interruption = quick::Interruption::create();
    EXPECT_TRUE(interruption);
    return policy_of(request, state, *interruption);
  }
  // A file of a tunnel with these lines in its two sections.
  std::string file(const std::string& interface, const std::string& peer) {
    const std::string path = directory_ / "wg7.conf";
    os::write_contents(path, kKeys + interface + kPeer + peer);
    return path;
  }

  os::TemporaryDirectory directory_;
};

TEST_F(RequestTest, WithoutAFileLetsNothingOut) {
  const auto made = policy({});
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->state, LockState::Locked);
  EXPECT_TRUE(made->endpoints.empty() && made->tunnels.empty() && made->allowed.empty());
  ASSERT_TRUE(made->known_routes);
  EXPECT_EQ(made->known_routes->size(), 1u);
}

TEST_F(RequestTest, TakesEndpointAddressesAndServersOfTheFile) {
  const auto made =
      policy({.configuration = file("Address = 10.2.0.2/32, fd02::2/128\nDNS = 10.2.0.1\n"
                                    "ListenPort = 51821\n",
                                    "AllowedIPs = 10.2.0.0/24\nEndpoint = 198.51.100.1:51820\n")});
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->state, LockState::Connected);
  EXPECT_EQ(made->tunnels, std::vector<std::string>{"wg7"});
  EXPECT_EQ(made->endpoints, std::vector{to_endpoint("198.51.100.1:51820")});
  EXPECT_EQ(made->listen_ports, std::vector<std::uint16_t>{51821});
  EXPECT_EQ(made->dns, std::vector{to_address("10.2.0.1")});
  EXPECT_EQ(made->tunnel_addresses, (std::vector{to_address("10.2.0.2"), to_address("fd02::2")}));
  EXPECT_EQ(made->mark.value, 0x8888u);
}

TEST_F(RequestTest, FindsTheMarkInThisOrder) {
  const std::string all = "AllowedIPs = 0.0.0.0/0\nEndpoint = 198.51.100.1:51820\n";
  HostState running = host();
  running.rules.push_back(
      {.priority = 100, .mark = 0x77, .mark_mask = UINT32_MAX, .inverted = true, .table = 7});
  running.routes.push_back({.destination = to_prefix("0.0.0.0/0"), .interface = "wg7", .table = 7});
  const struct {
    std::string interface;
    std::optional<std::string> flag;
    bool runs;
    std::uint32_t mark;
  } rows[] = {{"", std::nullopt, false, 51820},
              {"Table = off\n", std::nullopt, false, 0x8888},
              {"", std::nullopt, true, 0x77},
              {"FwMark = 0x99\n", std::nullopt, true, 0x99},
              {"FwMark = 0x99\n", "0x55", true, 0x55}};
  for (const auto& row : rows) {
    SCOPED_TRACE(row.mark);
    const auto made = policy({.configuration = file(row.interface, all), .mark = row.flag},
                             row.runs ? running : host());
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_EQ(made->mark.value, row.mark);
  }
  const auto without_file = policy({.mark = "0x55"});
  ASSERT_TRUE(without_file) << without_file.error().message;
  EXPECT_EQ(without_file->mark.value, 0x55u);
}

TEST_F(RequestTest, ReachesTheLocalNetworkOnlyWhereItIsPrivate) {
  const auto made = policy({.allow = {"203.0.113.0/24"}, .lan_access = true});
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->allowed, (std::vector{to_prefix("203.0.113.0/24"), to_prefix("192.168.7.0/24")}));
}

TEST_F(RequestTest, LetsInWhoAsksIfOnLinkAndNobodyElseIsNamed) {
  EXPECT_EQ(policy({.ssh_connection = "192.0.2.9 4000 192.0.2.2 22"})->manage,
            std::vector{to_prefix("192.0.2.9/32")});
  EXPECT_TRUE(policy({.ssh_connection = "203.0.113.9 4000 192.0.2.2 22"})->manage.empty());
  EXPECT_EQ(policy({.manage = {"192.0.2.0/28"}, .ssh_connection = "192.0.2.99 4000 192.0.2.2 22"})
                ->manage,
            std::vector{to_prefix("192.0.2.0/28")});
}

TEST_F(RequestTest, NamesProgramsBesideTheTunnel) {
  const auto made = policy({.split_users = {"1000"},
                            .split_cgroups = {"a.slice/b.service", "/sys/fs/cgroup/c.slice/"},
                            .split_dns = true});
  ASSERT_TRUE(made) << made.error().message;
  ASSERT_EQ(made->split.size(), 3u);
  EXPECT_EQ(made->split[0].to_string(), "uid 1000");
  EXPECT_EQ(made->split[1].to_string(), "cgroup a.slice/b.service");
  EXPECT_EQ(made->split[2].to_string(), "cgroup c.slice");
  EXPECT_TRUE(made->split_dns);
}

TEST_F(RequestTest, SaysWhatIsWrong) {
  const std::string no_endpoint = file("", "AllowedIPs = 0.0.0.0/0\n");
  const struct {
    Request request;
    std::string_view message;
  } rows[] = {
      {{.allow = {"0.0.0.0/0"}}, "--allow: 0.0.0.0/0 is everything there is"},
      {{.allow = {"10.0.0.1/8"}}, "--allow: "},
      {{.manage = {"nobody"}}, "--manage: "},
      {{.dhcp = {"x"}}, "--dhcp-server: "},
      {{.dns = {"x"}}, "--dns: "},
      {{.mark = "0"}, "--fwmark: \"0\" is no mark"},
      {{.mark = ""}, "--fwmark: \"\" is no mark"},
      {{.mark = "blue"}, "--fwmark: \"blue\" is no mark"},
      {{.mark = "0x10000"}, "the mark 0x10000 shares bits with 0xff0000"},
      {{.split_users = {"0"}}, "--split-uid: \"0\" is no user's number"},
      {{.split_users = {"root"}}, "--split-uid: \"root\" is no user's number"},
      {{.split_cgroups = {"/sys/fs/cgroup"}}, "kill switch: \"\" is no cgroup below the root"},
      {{.split_cgroups = {"a/../b"}}, "kill switch: \"a/../b\" is no cgroup"},
      {{.split_dns = true}, "--split-dns: name the programs"},
      {{.configuration = no_endpoint}, no_endpoint},
      {{.configuration = (directory_ / "absent.conf")}, ""},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.message);
    const auto made = policy(row.request);
    ASSERT_FALSE(made);
    EXPECT_TRUE(made.error().message.starts_with(row.message)) << made.error().message;
    EXPECT_EQ(made.error().message.find('\n'), std::string::npos);
  }
}

}  // namespace
}  // namespace ginnel::killswitch
