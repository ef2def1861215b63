// Needs root.
#include "os/host_applier.h"

#include <gtest/gtest.h>

#include <optional>

#include "unit/os/private_network.h"
#include "unit/os/temporary_directory.h"

namespace ginnel::os {
namespace {

using hostnet::Owner;
using hostnet::WantedHost;

const Owner kOwner{.role = "up", .interface = "t0"};
constexpr const char* kSetting = "net/ipv4/conf/all/src_valid_mark";

hostnet::nft::Table table(const std::string& name, const std::string& chain) {
  return {.name = name, .comment = kOwner.mark(), .chains = {{.name = chain}}};
}

hostnet::Route route(const char* destination) {
  return {.destination = net::Prefix::parse(destination).value(),
          .interface = "t0",
          .table = 500,
          .origin = hostnet::RouteOrigin::Boot};
}

hostnet::RoutingRule rule(std::uint32_t priority) {
  return {.priority = priority, .mark = 7, .mark_mask = UINT32_MAX, .table = 500};
}

// All kinds of things at once.
WantedHost everything() {
  return {.network = {.interfaces = {{.name = "t0",
                                      .mtu = 1380,
                                      .addresses = {*net::InterfaceAddress::parse("10.9.0.2/24")},
                                      .routes = {route("10.50.0.0/16")}}},
                      .rules = {rule(100)}},
          .tables = {table("ginnel-one", "a")},
          .sysctls = {{.path = kSetting, .value = "1"}}};
}

class HostApplierTest : public PrivateNetwork {
 protected:
  void SetUp() override {
    PrivateNetwork::SetUp();
    shell("ip link add t0 type bridge && sysctl -qw net.ipv6.conf.t0.addr_gen_mode=1");
    shell("ip link set t0 up && ip link set t0 down");  // What only the first time changes.
    shell("sysctl -qw net.ipv4.conf.all.src_valid_mark=0");
    before_ = everything_there();
    applier_ = open();
  }

  std::optional<HostApplier> open() {
    auto opened = HostApplier::open(run_.path(), kOwner, SysctlClaims::Former::Keep);
    EXPECT_TRUE(opened) << opened.error().message;
    return opened ? std::optional(std::move(*opened)) : std::nullopt;
  }
  // As other programs see it.
  static std::string everything_there() {
    return shell(
        "ip addr show dev t0 | sed 's/state .*//; /valid_lft/d'; ip route show table all; ip rule; "
        "nft list ruleset; sysctl net.ipv4.conf.all.src_valid_mark");
  }
  void apply(const WantedHost& wanted) {
    const Status applied = applier_->apply(wanted);
    ASSERT_TRUE(applied) << applied.error().message;
  }

  TemporaryDirectory run_;
  std::optional<HostApplier> applier_;
  std::string before_;
};

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_F(HostApplierTest, MakesWhatIsWantedTrue) {
  apply(everything());
  EXPECT_TRUE(contains(shell("ip addr show dev t0"), "10.9.0.2/24"));
  EXPECT_TRUE(contains(shell("ip addr show dev t0"), "mtu 1380"));
  EXPECT_TRUE(contains(shell("ip route show table 500"), "10.50.0.0/16 dev t0"));
  EXPECT_TRUE(contains(shell("ip rule"), "100:\tfrom all fwmark 0x7 lookup 500"));
  EXPECT_TRUE(contains(shell("nft list ruleset"), "table inet ginnel-one"));
  EXPECT_TRUE(contains(shell("sysctl net.ipv4.conf.all.src_valid_mark"), "= 1"));
}

TEST_F(HostApplierTest, ChangesNothingWhenNothingDiffers) {
  apply(everything());
  // Handles and indices are new for whatever is made again.
  const std::string all = "ip addr; ip route show table all; ip rule; nft -a list ruleset";
  const std::string once = shell(all);
  apply(everything());
  EXPECT_EQ(shell(all), once);
}

TEST_F(HostApplierTest, ReplacesTablesThatDifferAndRemovesThoseNotWanted) {
  WantedHost wanted = everything();
  wanted.tables.push_back(table("ginnel-two", "b"));
  apply(wanted);
  wanted.tables = {table("ginnel-two", "c")};
  apply(wanted);
  const std::string listed = shell("nft list ruleset");
  EXPECT_FALSE(contains(listed, "ginnel-one"));
  EXPECT_TRUE(contains(listed, "chain c"));
  EXPECT_FALSE(contains(listed, "chain b"));
}

TEST_F(HostApplierTest, LeavesTablesOfOthersAlone) {
  shell("nft 'add table inet theirs { comment \"ginnel:up:t1\"; }'");
  before_ = everything_there();
  apply({});
  EXPECT_EQ(everything_there(), before_);
}

TEST_F(HostApplierTest, TakesBackWhatItDidWhenAStepFails) {
  WantedHost standing = everything();
  standing.network = {};
  apply(standing);
  const std::string stood = everything_there();
  WantedHost wanted = everything();
  wanted.tables = {table("ginnel-two", "b")};
  wanted.network.interfaces[0].routes.push_back(route("10.60.0.0/16"));
  // A gateway that nothing leads to.
  wanted.network.interfaces[0].routes[1].gateway = net::Address::parse("198.51.100.1").value();
  const Status refused = applier_->apply(wanted);
  ASSERT_FALSE(refused);
  EXPECT_TRUE(contains(refused.error().message, "10.60.0.0/16")) << refused.error().message;
  EXPECT_EQ(everything_there(), stood);
}

TEST_F(HostApplierTest, HoldsAllThatCanBeWhenAStepFails) {
  WantedHost wanted = everything();
  std::vector<hostnet::Route>& routes = wanted.network.interfaces[0].routes;
  routes.insert(routes.begin(), route("10.60.0.0/16"));
  // A gateway that nothing leads to.
  routes[0].gateway = net::Address::parse("198.51.100.1").value();
  wanted.sysctls.insert(wanted.sysctls.begin(), {.path = "net/ipv4/conf/t7/rp_filter"});
  for (int i = 0; i < 2; ++i) {
    const Status held = applier_->hold(wanted);
    ASSERT_FALSE(held);
    EXPECT_TRUE(contains(held.error().message, "t7")) << held.error().message;
    EXPECT_TRUE(contains(shell("nft list ruleset"), "table inet ginnel-one"));
    EXPECT_TRUE(contains(shell("ip route show table 500"), "10.50.0.0/16 dev t0"));
    EXPECT_TRUE(contains(shell("ip rule"), "100:\tfrom all fwmark 0x7 lookup 500"));
  }
  wanted.sysctls.erase(wanted.sysctls.begin());
  const Status held = applier_->hold(wanted);
  ASSERT_FALSE(held);
  EXPECT_TRUE(contains(held.error().message, "10.60.0.0/16")) << held.error().message;
  EXPECT_TRUE(contains(shell("sysctl net.ipv4.conf.all.src_valid_mark"), "= 1"));
  ASSERT_TRUE(applier_->undo_changes());
  ASSERT_TRUE(applier_->remove_all());
  EXPECT_EQ(everything_there(), before_);
}

TEST_F(HostApplierTest, FailsForAnInterfaceThatDoesNotExist) {
  WantedHost wanted = everything();
  wanted.network.interfaces[0].name = "t7";
  const Status refused = applier_->apply(wanted);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "interface t7 does not exist");
  EXPECT_EQ(everything_there(), before_);
}

TEST_F(HostApplierTest, LeavesNothingBehind) {
  apply(everything());
  ASSERT_TRUE(applier_->undo_changes());
  ASSERT_TRUE(applier_->remove_all());
  EXPECT_EQ(everything_there(), before_);
}

TEST_F(HostApplierTest, RemovesWhatAFormerProcessLeft) {
  WantedHost wanted = everything();
  wanted.network = {};
  apply(wanted);
  applier_.reset();
  applier_ = open();
  ASSERT_TRUE(applier_->remove_all());
  EXPECT_EQ(everything_there(), before_);
}

TEST_F(HostApplierTest, GoesBackToTheTablesOfAFormerProcess) {
  WantedHost standing = everything();
  standing.network = {};
  apply(standing);
  const std::string stood = everything_there();
  applier_.reset();
  applier_ = open();
  applier_->assume(standing.tables);
  WantedHost wanted = standing;
  wanted.tables = {table("ginnel-two", "b")};
  wanted.network.rules = {rule(100)};
  wanted.network.interfaces = {{.name = "t0", .mtu = 10, .routes = {route("10.50.0.0/16")}}};
  ASSERT_FALSE(applier_->apply(wanted)) << "an MTU of 10 was taken";
  EXPECT_EQ(everything_there(), stood);
}

TEST_F(HostApplierTest, IsOneProcessAtATime) {
  const auto second = HostApplier::open(run_.path(), kOwner, SysctlClaims::Former::Keep);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::AlreadyExists);
}

}  // namespace
}  // namespace ginnel::os
