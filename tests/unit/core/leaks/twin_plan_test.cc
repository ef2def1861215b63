#include "core/leaks/twin_plan.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "unit/core/leaks/leak_samples.h"

namespace ginnel::leaks {
namespace {

const TwinLink* find(const TwinPlan& plan, std::string_view name) {
  const auto found = std::ranges::find(plan.links, name, &TwinLink::name);
  return found == plan.links.end() ? nullptr : &*found;
}
bool has(const std::vector<net::InterfaceAddress>& list, std::string_view text) {
  return std::ranges::find(list, to_assigned(text)) != list.end();
}

TEST(TwinPlan, HasTheHostsInterfacesButNotItsTunnel) {
  const TwinPlan plan = plan_twin(sample_host(), sample_policy());
  const TwinLink* uplink = find(plan, "eth0");
  ASSERT_TRUE(uplink);
  EXPECT_EQ(uplink->role, Role::Uplink);
  EXPECT_EQ(uplink->index, 2u);
  EXPECT_TRUE(has(uplink->addresses, "192.168.1.7/24"));
  EXPECT_TRUE(has(uplink->far_addresses, "192.168.1.1/24"));
  const TwinLink* lan = find(plan, "eth1");
  ASSERT_TRUE(lan);
  EXPECT_EQ(lan->role, Role::Lan);
  EXPECT_FALSE(find(plan, "wg0"));
  EXPECT_FALSE(find(plan, "lo"));
}

// A host that has no IPv6 today may be given some by its next router.
TEST(TwinPlan, LeadsOutInBothFamilies) {
  const TwinPlan plan = plan_twin(sample_host(), sample_policy());
  for (const net::Family family : kFamilies) {
    const TwinUplink& uplink = plan.first_uplink();
    ASSERT_TRUE(uplink.ends[family]);
    EXPECT_NE(uplink.ends[family]->neighbour, uplink.ends[family]->own);
    EXPECT_NE(uplink.ends[family]->neighbour, uplink.ends[family]->router);
    const bool leads_out = std::ranges::any_of(plan.routes, [&](const hostnet::Route& route) {
      return route.is_default() && route.destination.family() == family;
    });
    EXPECT_TRUE(leads_out);
  }
}

TEST(TwinPlan, GivesAHostWithoutAnythingAWayOutAndAContainer) {
  const TwinPlan plan = plan_twin({}, {.state = hostnet::LockState::Locked});
  ASSERT_EQ(plan.uplinks.size(), 1u);
  ASSERT_EQ(plan.members.size(), 1u);
  EXPECT_EQ(plan.members[0].role, Role::Container);
  for (const TwinLink& link : plan.links) EXPECT_LE(link.name.size(), 15u) << link.name;
}

TEST(TwinPlan, PlugsMembersIntoThePortsOfABridge) {
  hostnet::HostState host = sample_host();
  host.links[2].kind = "bridge";
  host.links.push_back({.index = 4, .name = "lan0", .up = true, .master = 3});
  host.links.push_back({.index = 5, .name = "docker0", .kind = "bridge", .up = true});
  host.links.push_back({.index = 6, .name = "veth1", .kind = "veth", .up = true, .master = 5});
  host.addresses.push_back({.interface = "docker0", .address = to_assigned("172.17.0.1/16")});
  const TwinPlan plan = plan_twin(host, sample_policy());
  EXPECT_TRUE(find(plan, "eth1")->is_bridge);
  EXPECT_TRUE(find(plan, "eth1")->far.empty());
  EXPECT_EQ(find(plan, "lan0")->master, "eth1");
  EXPECT_EQ(find(plan, "lan0")->role, Role::Lan);
  EXPECT_EQ(find(plan, "veth1")->role, Role::Container);
  const auto member = std::ranges::find(plan.members, "lan0", &TwinMember::port);
  ASSERT_NE(member, plan.members.end());
  EXPECT_EQ(member->interface, "eth1");
  EXPECT_EQ(member->ends[net::Family::V4]->host, to_address("10.100.0.1"));
  const auto container = std::ranges::find(plan.members, "veth1", &TwinMember::port);
  ASSERT_NE(container, plan.members.end());
  EXPECT_EQ(container->ends[net::Family::V4]->host, to_address("172.17.0.1"));
}

TEST(TwinPlan, AttacksNothingThatIsInUse) {
  hostnet::HostState host = sample_host();
  host.addresses[0].address = to_assigned("203.0.113.7/24");
  host.routes[0].gateway = to_address("203.0.113.1");
  hostnet::LockPolicy policy = sample_policy();
  policy.allowed = {to_prefix("198.51.100.0/24"), to_prefix("9.9.9.0/24")};
  const TwinPlan plan = plan_twin(host, policy);
  EXPECT_EQ(*plan.internet[net::Family::V4], to_address("192.0.2.77"));
  EXPECT_EQ(plan.local_net, to_assigned("149.112.112.2/24"));
}

TEST(TwinPlan, PutsANextHopOutsideTheSubnetOnTheLink) {
  hostnet::HostState host = sample_host();
  host.addresses[0].address = to_assigned("192.0.2.9/32");
  host.routes[0].gateway = to_address("169.254.1.1");
  const TwinPlan plan = plan_twin(host, sample_policy());
  ASSERT_FALSE(plan.routes.empty());
  host.routes[0].gateway = to_address("10.0.0.1");
  const TwinPlan other = plan_twin(host, sample_policy());
  EXPECT_EQ(other.routes.front().destination, to_prefix("10.0.0.1/32"));
}

TEST(TwinPlan, LeavesOutWhatIsTooMuch) {
  for (const std::size_t count : {kMaxTwinLinks - 1, kMaxTwinLinks, kMaxTwinLinks + 1}) {
    hostnet::HostState host;
    for (std::size_t i = 0; i < count; ++i) {
      host.links.push_back({.index = static_cast<std::uint32_t>(i + 2),
                            .name = fmt::format("eth{}", i),
                            .up = true});
    }
    const TwinPlan plan = plan_twin(host, {.state = hostnet::LockState::Locked});
    EXPECT_EQ(plan.left_out.size(), count > kMaxTwinLinks ? 1u : 0u) << count;
  }
}

}  // namespace
}  // namespace ginnel::leaks
