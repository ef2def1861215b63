#include "core/hostnet/lock_policy.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <functional>

#include "unit/core/hostnet/lock_samples.h"

namespace ginnel::hostnet {
namespace {

TEST(LockPolicy, IsAcceptedInEveryState) {
  for (LockState state : kLockStates) EXPECT_TRUE(check(full_policy(state))) << name_of(state);
}

TEST(LockPolicy, IsRefusedWhenItContradictsItself) {
  const struct {
    const char* what;
    std::function<void(LockPolicy&)> spoil;
  } rows[] = {
      {"a mark of nobody", [](LockPolicy& p) { p.mark = {.value = 0, .mask = 0xffff}; }},
      {"a mark outside its mask",
       [](LockPolicy& p) { p.mark = {.value = 0x18888, .mask = 0xffff}; }},
      {"shared bits", [](LockPolicy& p) { p.manage_mark.mask = 0xff00; }},
      {"bits shared by programs beside the tunnel",
       [](LockPolicy& p) { p.split_mark.mask = 0xff0000; }},
      {"no room for the programs", [](LockPolicy& p) { p.split_mark.mask = 0x01000000; }},
      {"the kernel's own user", [](LockPolicy& p) { p.split[0].user = 0; }},
      {"neither a user nor a cgroup", [](LockPolicy& p) { p.split[1].cgroup.clear(); }},
      {"the root of all cgroups", [](LockPolicy& p) { p.split[1].cgroup = "/"; }},
      {"an absolute cgroup", [](LockPolicy& p) { p.split[1].cgroup = "/a"; }},
      {"a cgroup elsewhere", [](LockPolicy& p) { p.split[1].cgroup = "a/../.."; }},
      {"a cgroup of two lines", [](LockPolicy& p) { p.split[1].cgroup = "a\nb"; }},
      {"no priorities for the programs", [](LockPolicy& p) { p.allowed_priority = 8; }},
      {"a device without a number", [](LockPolicy& p) { p.devices[0].number = 0; }},
      {"a number that does not fit",
       [](LockPolicy& p) {
         p.manage_mark.mask = 0xf0000000;
         p.devices[0].number = 16;
       }},
      {"priorities that do not rise", [](LockPolicy& p) { p.allowed_priority = 10; }},
      {"an unreachable rule before the table's", [](LockPolicy& p) { p.unreachable_priority = 9; }},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.what);
    LockPolicy policy = full_policy(LockState::Connected);
    row.spoil(policy);
    EXPECT_FALSE(check(policy));
  }
}

TEST(LockPolicy, KeepsItsLimits) {
  const struct {
    const char* what;
    std::size_t limit;
    std::function<void(LockPolicy&, std::size_t)> fill;
  } rows[] = {
      {"endpoints", LockPolicy::kMaxEndpoints,
       [](LockPolicy& p, std::size_t n) { p.endpoints.resize(n); }},
      {"resolvers", LockPolicy::kMaxEndpoints,
       [](LockPolicy& p, std::size_t n) { p.resolvers.resize(n); }},
      {"listen ports", LockPolicy::kMaxEndpoints,
       [](LockPolicy& p, std::size_t n) { p.listen_ports.resize(n); }},
      {"tunnels", LockPolicy::kMaxInterfaces,
       [](LockPolicy& p, std::size_t n) { p.tunnels.resize(n); }},
      {"LANs", LockPolicy::kMaxInterfaces, [](LockPolicy& p, std::size_t n) { p.lans.resize(n); }},
      {"LAN prefixes", LockPolicy::kMaxPrefixes,
       [](LockPolicy& p, std::size_t n) { p.lans[0].prefixes.resize(n); }},
      {"allowed", LockPolicy::kMaxPrefixes,
       [](LockPolicy& p, std::size_t n) { p.allowed.resize(n); }},
      {"manage", LockPolicy::kMaxPrefixes,
       [](LockPolicy& p, std::size_t n) { p.manage.resize(n); }},
      {"own addresses", LockPolicy::kMaxOwnAddresses,
       [](LockPolicy& p, std::size_t n) { p.own_addresses.resize(n); }},
      {"known routes", LockPolicy::kMaxKnownRoutes,
       [](LockPolicy& p, std::size_t n) { p.known_routes.emplace(n); }},
      {"programs", LockPolicy::kMaxSplit,
       [](LockPolicy& p, std::size_t n) { p.split.resize(n, {.user = 7}); }},
      {"the length of a cgroup", LockPolicy::kMaxCgroupPath,
       [](LockPolicy& p, std::size_t n) { p.split[1].cgroup = std::string(n, 'a'); }},
      {"devices", LockPolicy::kMaxDevices,
       [](LockPolicy& p, std::size_t n) { p.devices.resize(n, {.name = "x", .number = 1}); }},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.what);
    LockPolicy policy = full_policy(LockState::Connected);
    row.fill(policy, row.limit - 1);
    EXPECT_TRUE(check(policy));
    row.fill(policy, row.limit);
    EXPECT_TRUE(check(policy));
    row.fill(policy, row.limit + 1);
    EXPECT_FALSE(check(policy));
  }
}

TEST(LockableDevices, AreAllButLoopbackAndTunnels) {
  const HostState host{.links = {{.index = 1, .name = "lo", .loopback = true},
                                 {.index = 2, .name = "eth0"},
                                 {.index = 3, .name = "wg0", .kind = "tun"},
                                 {.index = 4, .name = "br0", .kind = "bridge"},
                                 {.index = 5, .name = "veth5", .kind = "veth", .master = 4},
                                 {.index = 257, .name = "tun9", .kind = "tun"}}};
  const std::vector<LockedDevice> expected = {{.name = "br0", .number = 5, .lan = "br0"},
                                              {.name = "eth0", .number = 3},
                                              {.name = "tun9", .number = 3},
                                              {.name = "veth5", .number = 6, .lan = "br0"}};
  EXPECT_EQ(lockable_devices(host, {"wg0"}, {{.interface = "br0"}}), expected);
}

TEST(WidePrefixes, HoldMuchOfTheInternet) {
  const struct {
    const char* prefix;
    bool wide;
  } rows[] = {{"0.0.0.0/0", true},   {"128.0.0.0/1", true}, {"10.0.0.0/7", true},
              {"10.0.0.0/8", false}, {"::/0", true},        {"2000::/3", true},
              {"2000::/15", true},   {"2000::/16", false}};
  for (const auto& row : rows) EXPECT_EQ(is_wide(to_prefix(row.prefix)), row.wide) << row.prefix;
}

TEST(AddressesToAnswerFrom, AreThoseOutsideWhenAnybodyMayManage) {
  const auto on = [](const char* interface, const std::string& address) {
    return AssignedAddress{.interface = interface,
                           .address = net::InterfaceAddress::parse(address).value()};
  };
  HostState host{.links = {{.index = 1, .name = "lo", .loopback = true},
                           {.index = 2, .name = "eth0"},
                           {.index = 3, .name = "eth1"},
                           {.index = 4, .name = "wg0"}},
                 .addresses = {on("lo", "127.0.0.1/8"), on("eth0", "192.0.2.7/24"),
                               on("eth0", "2001:db8::7/64"), on("eth1", "10.100.0.2/24"),
                               on("wg0", "10.2.0.2/32")}};
  LockPolicy policy{
      .state = LockState::Connected, .tunnels = {"wg0"}, .lans = {{.interface = "eth1"}}};
  policy.devices = lockable_devices(host, policy.tunnels, policy.lans);
  const auto found = [&](std::vector<net::Prefix> manage) {
    policy.manage = std::move(manage);
    std::string text;
    for (const auto& each : addresses_to_answer_from(host, policy)) text += each.to_string() + " ";
    return text;
  };
  EXPECT_EQ(found({to_prefix("192.0.2.0/24")}), "");
  EXPECT_EQ(found({to_prefix("0.0.0.0/0")}), "192.0.2.7/24 ");
  EXPECT_EQ(found({to_prefix("2000::/3")}), "2001:db8::7/64 ");
  EXPECT_EQ(found({to_prefix("0.0.0.0/1"), to_prefix("::/0")}), "192.0.2.7/24 2001:db8::7/64 ");
  for (std::size_t i = 0; i <= LockPolicy::kMaxOwnAddresses; ++i) {
    host.addresses.push_back(on("eth0", fmt::format("10.9.{}.{}/16", i / 200, i % 200 + 1)));
  }
  EXPECT_EQ(addresses_to_answer_from(host, policy).size(), LockPolicy::kMaxOwnAddresses);
}

TEST(LocalPrefixes, ArePrivateWhateverTheLeaseSays) {
  const auto on = [](const char* interface, const char* address) {
    return AssignedAddress{.interface = interface,
                           .address = net::InterfaceAddress::parse(address).value()};
  };
  const HostState host{.links = {{.index = 1, .name = "lo", .loopback = true},
                                 {.index = 2, .name = "eth0"},
                                 {.index = 3, .name = "wg0"}},
                       .addresses = {on("lo", "127.0.0.1/8"), on("eth0", "192.168.1.7/24"),
                                     on("eth0", "8.8.8.7/24"), on("eth0", "10.0.0.7/7"),
                                     on("eth0", "fd00:5::7/64"), on("eth0", "2001:db8::7/64"),
                                     on("wg0", "10.2.0.2/24"), on("eth0", "172.16.0.1/32")}};
  const std::vector<net::Prefix> expected = {to_prefix("192.168.1.0/24"), to_prefix("fd00:5::/64")};
  EXPECT_EQ(local_prefixes(host, {"wg0"}), expected);
}

}  // namespace
}  // namespace ginnel::hostnet
