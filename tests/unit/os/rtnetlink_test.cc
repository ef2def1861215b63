#include "os/rtnetlink.h"

#include <net/if.h>

#include <optional>
#include <thread>

#include "core/hostnet/lock_routing.h"
#include "os/host_changes.h"
#include "os/network_namespace.h"
#include "unit/os/private_network.h"

namespace ginnel::os {
namespace {

using namespace hostnet;

net::InterfaceAddress own(const char* text) { return net::InterfaceAddress::parse(text).value(); }
net::Prefix prefix(const char* text) { return net::Prefix::parse(text).value(); }
net::Address address(const char* text) { return net::Address::parse(text).value(); }

class RtnetlinkTest : public PrivateNetwork {
 protected:
  void SetUp() override {
    PrivateNetwork::SetUp();
    auto opened = Rtnetlink::open();
    ASSERT_TRUE(opened) << opened.error().message;
    rtnetlink_.emplace(std::move(*opened));
  }
  HostState read() {
    auto state = rtnetlink_->read();
    EXPECT_TRUE(state) << state.error().message;
    return state ? *state : HostState{};
  }
  void expect_applied(const Operation& operation) {
    const Status applied = rtnetlink_->apply(operation);
    EXPECT_TRUE(applied) << applied.error().message;
  }
  void make_eth0() { make_pair("eth0", "far"); }
  std::optional<Rtnetlink> rtnetlink_;
};

std::optional<Route> route_to(const HostState& state, const char* destination) {
  for (const Route& route : state.routes) {
    if (route.destination == prefix(destination)) return route;
  }
  return std::nullopt;
}

TEST_F(RtnetlinkTest, ReadsLinks) {
  shell("ip link add eth0 mtu 1400 type veth peer name far");
  shell("ip link set eth0 up");
  const HostState state = read();
  const Link* lo = state.find_link("lo");
  ASSERT_TRUE(lo);
  EXPECT_TRUE(lo->loopback && lo->up && lo->running);
  const Link* eth0 = state.find_link("eth0");
  ASSERT_TRUE(eth0);
  EXPECT_EQ(eth0->kind, "veth");
  EXPECT_EQ(eth0->mtu, 1400u);
  EXPECT_TRUE(eth0->up);
  EXPECT_FALSE(eth0->running);  // The other end is down.
  EXPECT_FALSE(state.find_link("far")->up);
}

TEST_F(RtnetlinkTest, ReadsAddresses) {
  make_eth0();
  shell("ip addr add 192.0.2.7/24 dev eth0");
  shell("ip addr add 192.0.2.9 peer 198.51.100.1/24 dev far");
  shell("ip -6 addr add 2001:db8::7/64 dev eth0 preferred_lft 0");
  std::map<std::string, AssignedAddress> found;
  for (const AssignedAddress& assigned : read().addresses) {
    found[assigned.address.to_string()] = assigned;
  }
  ASSERT_TRUE(found.contains("192.0.2.7/24"));
  EXPECT_EQ(found["192.0.2.7/24"].interface, "eth0");
  EXPECT_TRUE(found["192.0.2.7/24"].usable);
  EXPECT_TRUE(found.contains("192.0.2.9/24"));  // Our end, not the peer's.
  ASSERT_TRUE(found.contains("2001:db8::7/64"));
  EXPECT_FALSE(found["2001:db8::7/64"].usable);  // Deprecated.
  EXPECT_EQ(found["127.0.0.1/8"].scope, Scope::Host);
}

TEST_F(RtnetlinkTest, ReadsRoutes) {
  make_eth0();
  shell("ip addr add 192.0.2.7/24 dev eth0");
  shell("ip -6 addr add 2001:db8::7/64 dev eth0 nodad");
  shell("ip route add default via 192.0.2.1 dev eth0 metric 7 src 192.0.2.7");
  shell("ip route add 10.1.0.0/16 dev eth0 table 1000 mtu 1300");
  shell("ip route add unreachable 10.2.0.0/16 proto dhcp");
  shell("ip -6 route add default via fe80::99 dev eth0 proto ra pref high");
  shell("ip route add 10.3.0.0/16 nexthop via 192.0.2.2 nexthop via 192.0.2.3");
  const HostState state = read();

  EXPECT_EQ(route_to(state, "0.0.0.0/0"), (Route{.destination = prefix("0.0.0.0/0"),
                                                 .gateway = address("192.0.2.1"),
                                                 .interface = "eth0",
                                                 .metric = 7,
                                                 .origin = RouteOrigin::Boot,
                                                 .source = address("192.0.2.7")}));
  EXPECT_EQ(route_to(state, "10.1.0.0/16"), (Route{.destination = prefix("10.1.0.0/16"),
                                                   .interface = "eth0",
                                                   .table = 1000,
                                                   .origin = RouteOrigin::Boot,
                                                   .scope = Scope::Link,
                                                   .mtu = 1300}));
  EXPECT_EQ(route_to(state, "10.2.0.0/16"), (Route{.destination = prefix("10.2.0.0/16"),
                                                   .origin = RouteOrigin::Dhcp,
                                                   .type = RouteType::Unreachable}));
  EXPECT_EQ(route_to(state, "::/0"), (Route{.destination = prefix("::/0"),
                                            .gateway = address("fe80::99"),
                                            .interface = "eth0",
                                            .metric = 1024,
                                            .origin = RouteOrigin::RouterAdvertisement,
                                            .preference = RouterPreference::High}));
  std::vector<std::string> hops;
  for (const Route& route : state.routes) {
    if (route.destination == prefix("10.3.0.0/16")) hops.push_back(route.gateway->to_string());
  }
  EXPECT_EQ(hops, (std::vector<std::string>{"192.0.2.2", "192.0.2.3"}));
}

TEST_F(RtnetlinkTest, SeesRoutesOfDeadLinks) {
  make_eth0();
  shell("ip addr add 192.0.2.7/24 dev eth0 && ip route add default via 192.0.2.1");
  EXPECT_FALSE(route_to(read(), "0.0.0.0/0")->dead);
  shell("ip link set far down");
  EXPECT_TRUE(eventually([&] { return route_to(read(), "0.0.0.0/0")->dead; }));
}

TEST_F(RtnetlinkTest, SetsUpAnInterfaceAndTakesItBack) {
  make_eth0();
  const std::string before = shell("ip -j addr; ip -j route show table all; ip -j rule");
  const WantedNetwork wanted{
      .interfaces = {{.name = "eth0",
                      .mtu = 1420,
                      .addresses = {own("10.200.100.1/24"), own("fd00::1/64")},
                      .routes = {{.destination = prefix("10.9.0.0/16"), .interface = "eth0"},
                                 {.destination = prefix("2001:db8:9::/48"),
                                  .interface = "eth0",
                                  .table = 1000}}}},
      .rules = {
          {.priority = 10, .mark = 0x8888, .mark_mask = 0xffff, .inverted = true, .table = 1000},
          {.family = net::Family::V6,
           .priority = 11,
           .action = RuleAction::Unreachable,
           .suppress_prefix_length = std::nullopt}}};
  const auto operations = plan(read(), wanted);
  ASSERT_TRUE(operations);
  HostChanges changes;
  const Status applied = changes.apply(*rtnetlink_, *operations);
  ASSERT_TRUE(applied) << applied.error().message;

  // The kernel agrees, and so a second plan has nothing to do.
  EXPECT_NE(shell("ip addr show eth0").find("inet 10.200.100.1/24"), std::string::npos);
  EXPECT_NE(shell("ip rule").find("not from all fwmark 0x8888/0xffff lookup 1000"),
            std::string::npos);
  EXPECT_EQ(plan(read(), wanted)->size(), 0u) << describe(plan(read(), wanted)->front());

  ASSERT_TRUE(changes.undo(*rtnetlink_));
  EXPECT_EQ(shell("ip -j addr; ip -j route show table all; ip -j rule"), before);
}

TEST_F(RtnetlinkTest, CarriesOutEveryKindOfRule) {
  for (const RoutingRule& rule :
       {RoutingRule{
            .priority = 5, .from = prefix("10.0.0.0/24"), .to = prefix("10.1.0.0/16"), .table = 7},
        RoutingRule{.priority = 6, .in_interface = "lo", .out_interface = "wg0", .table = 7},
        RoutingRule{.priority = 7, .table = kMainTable, .suppress_prefix_length = 0},
        RoutingRule{.family = net::Family::V6,
                    .priority = 8,
                    .from = prefix("fd00::/8"),
                    .action = RuleAction::Prohibit},
        RoutingRule{.priority = 9, .users = hostnet::UserRange{1000, 1002}, .table = kMainTable},
        RoutingRule{.family = net::Family::V6,
                    .priority = 9,
                    .mark = 1,
                    .mark_mask = 3,
                    .users = hostnet::UserRange{7, 7},
                    .table = kMainTable}}) {
    SCOPED_TRACE(rule.to_string());
    expect_applied(AddRule{rule});
    const HostState state = read();
    EXPECT_NE(std::ranges::find(state.rules, rule), state.rules.end());
    expect_applied(RemoveRule{rule});
  }
}

TEST_F(RtnetlinkTest, UndoesTheEarlierStepsOfAPlanThatFails) {
  make_eth0();
  const std::string before = shell("ip -j addr; ip -j route");
  HostChanges changes;
  const Status applied = changes.apply(
      *rtnetlink_,
      {SetMtu{.interface = "eth0", .mtu = 1400, .was = 1500},
       AddAddress{.interface = "eth0", .address = own("192.0.2.7/24")},
       AddRoute{{.destination = prefix("10.0.0.0/8"), .gateway = address("203.0.113.1")}}});
  ASSERT_FALSE(applied);
  EXPECT_TRUE(applied.error().message.starts_with("add route 10.0.0.0/8 via 203.0.113.1: "))
      << applied.error().message;
  EXPECT_NE(applied.error().message.find("(Nexthop has invalid gateway)"), std::string::npos)
      << applied.error().message;
  EXPECT_EQ(shell("ip -j addr; ip -j route"), before);
  EXPECT_TRUE(changes.done().empty());
}

TEST_F(RtnetlinkTest, RemembersNothingOfWhatWasTakenBackByALaterChange) {
  make_eth0();
  shell("ip link set eth0 up");
  const std::string before = shell("ip -j addr; ip -j route");
  HostChanges changes;
  ASSERT_TRUE(changes.apply(*rtnetlink_,
                            {AddAddress{.interface = "eth0", .address = own("192.0.2.7/24")}}));
  for (int round = 0; round < 3; ++round) {
    const Route route{.destination = prefix("10.0.0.0/8"), .interface = "eth0"};
    ASSERT_TRUE(changes.apply(*rtnetlink_, {AddRoute{route}}));
    EXPECT_EQ(changes.done().size(), 2u);
    ASSERT_TRUE(changes.apply(*rtnetlink_, {RemoveRoute{route}}));
    EXPECT_EQ(changes.done().size(), 1u);
  }
  ASSERT_TRUE(changes.undo(*rtnetlink_));
  EXPECT_EQ(shell("ip -j addr; ip -j route"), before);
}

TEST_F(RtnetlinkTest, UndoesWithoutComplaintWhatWentWithItsInterface) {
  make_eth0();
  HostChanges changes;
  ASSERT_TRUE(changes.apply(
      *rtnetlink_, {AddAddress{.interface = "eth0", .address = own("192.0.2.7/24")},
                    AddRoute{{.destination = prefix("10.0.0.0/8"), .interface = "eth0"}}}));
  shell("ip link del eth0");
  const Status undone = changes.undo(*rtnetlink_);
  EXPECT_TRUE(undone) << undone.error().message;
}

TEST_F(RtnetlinkTest, RemovesWithoutComplaintWhatWentWithItsInterface) {
  make_eth0();
  shell("ip link set eth0 up");
  const Route route{.destination = prefix("10.0.0.0/8"), .interface = "eth0"};
  const RoutingRule rule{.priority = 77, .table = 1000};
  HostChanges changes;
  ASSERT_TRUE(changes.apply(*rtnetlink_, {AddRoute{route}, AddRule{rule}}));
  shell("ip link del eth0");
  HostChanges removal;
  const Status removed = removal.apply(*rtnetlink_, {RemoveRoute{route}, RemoveRule{rule}});
  EXPECT_TRUE(removed) << removed.error().message;
  EXPECT_EQ(shell("ip rule show pref 77"), "");
  const Status added = removal.apply(*rtnetlink_, {AddRoute{route}});
  EXPECT_EQ(added.error().code, ErrorCode::NotFound);
}

TEST_F(RtnetlinkTest, MakesTheRoutingOfALockAndTakesItBack) {
  using namespace hostnet;
  const std::string before = shell("ip rule; ip -6 rule; ip route; ip -6 route");
  const LockRouting routing =
      lock_routing({.state = LockState::Locked, .allowed = {prefix("192.168.7.0/24")}});
  const WantedNetwork wanted{.routes = routing.unreachable, .rules = routing.rules};
  HostChanges changes;
  ASSERT_TRUE(changes.apply(*rtnetlink_, *plan(read(), wanted)));
  EXPECT_EQ(shell("ip route show table 1000"),
            "unreachable default proto 103 metric 4294967294 \n");
  EXPECT_NE(shell("ip -6 rule").find("not from all fwmark 0x8888/0xffff unreachable"),
            std::string::npos);
  EXPECT_TRUE(plan(read(), wanted)->empty());

  const WantedNetwork none{.former_routes = routing.unreachable, .former_rules = routing.rules};
  HostChanges removal;
  ASSERT_TRUE(removal.apply(*rtnetlink_, *plan(read(), none)));
  EXPECT_EQ(shell("ip rule; ip -6 rule; ip route; ip -6 route"), before);
}

TEST_F(RtnetlinkTest, KnowsWhatALinkBelongsTo) {
  make_eth0();
  shell("ip link add br0 type bridge; ip link set eth0 master br0");
  const HostState state = read();
  EXPECT_EQ(state.find_link("eth0")->master, state.find_link("br0")->index);
  EXPECT_EQ(state.find_link("br0")->master, 0u);
}

TEST_F(RtnetlinkTest, MakesRenamesAndDeletesLinks) {
  ASSERT_TRUE(rtnetlink_->create_link("br7", "bridge"));
  ASSERT_TRUE(rtnetlink_->rename_link("br7", "br8"));
  EXPECT_EQ(read().find_link("br7"), nullptr);
  ASSERT_NE(read().find_link("br8"), nullptr);
  EXPECT_EQ(read().find_link("br8")->kind, "bridge");

  const Status again = rtnetlink_->create_link("br8", "bridge");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::AlreadyExists);
  ASSERT_TRUE(rtnetlink_->delete_link("br8"));
  const Status gone = rtnetlink_->delete_link("br8");
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().message, "interface br8 does not exist");
}

TEST_F(RtnetlinkTest, MakesAPairWithAnEndInAnotherNamespace) {
  std::optional<NetworkNamespace> far;
  std::thread([&] { far = std::move(*NetworkNamespace::enter_new()); }).join();
  ASSERT_TRUE(rtnetlink_->create_pair("near0", "far0", far->fd()));
  EXPECT_NE(if_nametoindex("near0"), 0u);
  EXPECT_EQ(if_nametoindex("far0"), 0u);
  std::thread([&] {
    ASSERT_TRUE(far->enter());
    EXPECT_NE(if_nametoindex("far0"), 0u);
  }).join();

  EXPECT_EQ(rtnetlink_->create_pair("near0", "far1", far->fd()).error().code,
            ErrorCode::AlreadyExists);
  EXPECT_EQ(rtnetlink_->create_pair("near1", "a name", far->fd()).error().code,
            ErrorCode::InvalidArgument);
}

TEST_F(RtnetlinkTest, MakesAPairWithANumberAndAPortOfABridge) {
  auto far = NetworkNamespace::enter_new();
  ASSERT_TRUE(far);
  auto rtnetlink = Rtnetlink::open();
  ASSERT_TRUE(rtnetlink);
  ASSERT_TRUE(rtnetlink->create_pair("near0", "far0", far->fd(), 77));
  ASSERT_TRUE(rtnetlink->create_link("br0", "bridge"));
  ASSERT_TRUE(rtnetlink->set_master("near0", "br0"));
  const auto state = rtnetlink->read();
  ASSERT_TRUE(state);
  const hostnet::Link* near = state->find_link("near0");
  ASSERT_TRUE(near);
  EXPECT_EQ(near->index, 77u);
  EXPECT_EQ(near->master, state->find_link("br0")->index);
  EXPECT_EQ(rtnetlink->create_pair("near1", "far1", far->fd(), 77).error().code,
            ErrorCode::AlreadyExists);
  EXPECT_EQ(rtnetlink->set_master("near0", "br1").error().code, ErrorCode::NotFound);
}

TEST_F(RtnetlinkTest, RefusesNamesThatNoInterfaceCanHave) {
  for (const char* name : {"", ".", "..", "a/b", "a:b", "a b", "sixteen-characte"}) {
    SCOPED_TRACE(name);
    const Status created = rtnetlink_->create_link(name, "bridge");
    ASSERT_FALSE(created);
    EXPECT_EQ(created.error().code, ErrorCode::InvalidArgument);
  }
  EXPECT_TRUE(rtnetlink_->create_link("fifteen-charact", "bridge"));
}

TEST_F(RtnetlinkTest, SaysWhatIsNotThere) {
  const Status up = rtnetlink_->apply(SetLinkUp{.interface = "wg0"});
  ASSERT_FALSE(up);
  EXPECT_EQ(up.error().message, "interface wg0 does not exist");
  EXPECT_EQ(up.error().code, ErrorCode::NotFound);
}

}  // namespace
}  // namespace ginnel::os
