// These tests need root: each runs in network namespaces of its own, with real interfaces.
#include "os/tun_watch.h"

#include "os/clock.h"
#include "unit/os/test_network.h"

namespace ginnel::os {
namespace {

class TunWatchTest : public testing::Test {
 protected:
  void SetUp() override {
    auto device = TunDevice::open({.name = "seen", .multi_queue = true});
    ASSERT_TRUE(device) << device.error().message;
    device_ = std::move(*device);
    auto poller = Poller::create();
    ASSERT_TRUE(poller);
    poller_.emplace(std::move(*poller));
    auto watch = TunWatch::open(*device_, *poller_, 7);
    ASSERT_TRUE(watch) << watch.error().message;
    watch_ = std::move(*watch);
    Namespace::shell("ip link set seen mtu 1420");
    static_cast<void>(watch_->look());
  }

  // What the watch says once it was told to look.
  std::optional<TunState> next() {
    EXPECT_FALSE(poller_->wait_until(Clock().mono() + 20s).empty());
    return watch_->look();
  }
  static void in(const Namespace& space, const std::string& command) {
    const Namespace::Inside inside(space);
    Namespace::shell(command);
  }
  static void move(const std::string& name, const Namespace& from, const Namespace& to) {
    in(from, "ip link set " + name + " netns /proc/" + std::to_string(getpid()) + "/fd/" +
                 std::to_string(to.fd()));
  }

  Namespace home_, other_, third_;
  Namespace::Inside inside_{home_};
  std::unique_ptr<TunDevice> device_;
  std::optional<Poller> poller_;
  std::unique_ptr<TunWatch> watch_;
};

TEST_F(TunWatchTest, SeesItsInterfaceGoUpAndDownAndChangeItsMtu) {
  EXPECT_EQ(watch_->look(), (TunState{.mtu = 1420, .up = false}));
  Namespace::shell("ip link set seen up");
  EXPECT_EQ(next(), (TunState{.mtu = 1420, .up = true}));
  Namespace::shell("ip link set seen mtu 1300");
  EXPECT_EQ(next(), (TunState{.mtu = 1300, .up = true}));
  Namespace::shell("ip link set seen down");
  EXPECT_EQ(next(), (TunState{.mtu = 1300, .up = false}));
}

TEST_F(TunWatchTest, KnowsItsInterfaceByAnotherName) {
  Namespace::shell("ip link set seen name renamed");
  EXPECT_EQ(next(), (TunState{.mtu = 1420, .up = false}));
  Namespace::shell("ip tuntap add mode tun name seen && ip link set seen mtu 600 up");
  EXPECT_EQ(next(), (TunState{.mtu = 1420, .up = false}));
  Namespace::shell("ip link set renamed up");
  EXPECT_EQ(next(), (TunState{.mtu = 1420, .up = true}));
}

TEST_F(TunWatchTest, FollowsItsInterfaceIntoOtherNamespacesAndBack) {
  move("seen", home_, other_);
  EXPECT_EQ(next(), (TunState{.mtu = 1420, .up = false}));
  in(other_, "ip link set seen mtu 1280 up");
  EXPECT_EQ(next(), (TunState{.mtu = 1280, .up = true}));
  move("seen", other_, third_);  // Takes it down.
  EXPECT_EQ(next(), (TunState{.mtu = 1280, .up = false}));
  move("seen", third_, home_);
  EXPECT_EQ(next(), (TunState{.mtu = 1280, .up = false}));
  Namespace::shell("ip link set seen up");
  EXPECT_EQ(next(), (TunState{.mtu = 1280, .up = true}));
}

TEST_F(TunWatchTest, IsNotFooledByAnotherInterfaceOfThatNameWhereItsOwnWas) {
  move("seen", home_, other_);
  Namespace::shell("ip tuntap add mode tun name seen && ip link set seen mtu 600 up");
  EXPECT_EQ(next(), (TunState{.mtu = 1420, .up = false}));
}

TEST_F(TunWatchTest, LeavesTheThreadWhereItWas) {
  move("seen", home_, other_);
  EXPECT_TRUE(next());
  Namespace::shell("! ip link show seen 2>/dev/null");
}

TEST_F(TunWatchTest, SaysWhenItsInterfaceIsGone) {
  Namespace::shell("ip link del seen");
  EXPECT_EQ(next(), std::nullopt);
}

}  // namespace
}  // namespace ginnel::os
