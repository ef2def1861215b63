#include "os/sysctl_claims.h"

#include <net/if.h>
#include <netpacket/packet.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "core/hostnet/forwarding.h"
#include "os/rtnetlink.h"
#include "unit/os/private_network.h"

namespace ginnel::os {
namespace {

using hostnet::Owner;

const Owner kServer{.role = "server", .interface = "wg0"};
const Owner kOther{.role = "server", .interface = "wg1"};

class SysctlClaimsTest : public PrivateNetwork {
 protected:
  void SetUp() override {
    PrivateNetwork::SetUp();
    std::string pattern = testing::TempDir() + "/ginnel_run.XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    run_directory_ = pattern;
    set(kForwarding4, "0");  // The host's value may be inherited.
    set(kForwarding6, "0");
  }
  void TearDown() override {
    std::filesystem::remove_all(run_directory_);
    PrivateNetwork::TearDown();
  }

  Result<SysctlClaims> open(const Owner& owner) {
    return SysctlClaims::open(run_directory_, owner, SysctlTree());
  }
  SysctlClaims open_or_fail(const Owner& owner) {
    auto opened = open(owner);
    EXPECT_TRUE(opened) << opened.error().message;
    return std::move(*opened);
  }
  std::string get(std::string_view path) { return SysctlTree().read(path).value_or("?"); }
  void set(std::string_view path, std::string_view value) {
    const Status written = SysctlTree().write(path, value);
    ASSERT_TRUE(written) << written.error().message;
  }
  // The interfaces that are to ask for routers.
  std::vector<std::string> enable(SysctlClaims& claims) {
    const auto forwarding = forwarding_settings(
        claims, {.ipv4 = true, .ipv6 = true, .tunnel = "wg0"}, *Rtnetlink::open()->read());
    EXPECT_TRUE(forwarding) << forwarding.error().message;
    if (!forwarding) return {};
    const Status claimed = claims.claim(forwarding->settings);
    EXPECT_TRUE(claimed) << claimed.error().message;
    return forwarding->late;
  }
  // A process that does what `work` does and is killed before it can clean up.
  template <class Work>
  void in_a_process_that_is_killed(Work&& work) {
    int ready[2];
    ASSERT_EQ(::pipe(ready), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      auto claims = work();
      (void)!::write(ready[1], "x", 1);
      for (;;) ::pause();
    }
    char byte;
    ASSERT_EQ(::read(ready[0], &byte, 1), 1);
    ::kill(child, SIGKILL);
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    ::close(ready[0]);
    ::close(ready[1]);
  }

  static constexpr std::string_view kForwarding4 = hostnet::kForwarding4;
  static constexpr std::string_view kForwarding6 = hostnet::kForwarding6;
  std::string run_directory_;
};

TEST_F(SysctlClaimsTest, EnablesForwardingAndPutsItBack) {
  auto claims = open_or_fail(kServer);
  enable(claims);
  EXPECT_EQ(get(kForwarding4), "1");
  EXPECT_EQ(get(kForwarding6), "1");
  ASSERT_TRUE(claims.release());
  EXPECT_EQ(get(kForwarding4), "0");
  EXPECT_EQ(get(kForwarding6), "0");
}

TEST_F(SysctlClaimsTest, LeavesOnWhatWasOnBefore) {
  set(kForwarding4, "1");
  auto claims = open_or_fail(kServer);
  enable(claims);
  ASSERT_TRUE(claims.release());
  EXPECT_EQ(get(kForwarding4), "1");
  EXPECT_EQ(get(kForwarding6), "0");
}

TEST_F(SysctlClaimsTest, PutsBackWhenTheLastProcessEnds) {
  auto first = open_or_fail(kServer);
  auto second = open_or_fail(kOther);
  enable(first);
  enable(second);
  ASSERT_TRUE(first.release());
  EXPECT_EQ(get(kForwarding4), "1");
  ASSERT_TRUE(second.release());
  EXPECT_EQ(get(kForwarding4), "0");
}

TEST_F(SysctlClaimsTest, LeavesAloneWhatSomebodyElseChangedSince) {
  set("net/ipv4/conf/all/rp_filter", "0");
  auto claims = open_or_fail(kServer);
  ASSERT_TRUE(claims.claim({{.path = "net/ipv4/conf/all/rp_filter", .value = "1"}}));
  set("net/ipv4/conf/all/rp_filter", "2");
  ASSERT_TRUE(claims.release());
  EXPECT_EQ(get("net/ipv4/conf/all/rp_filter"), "2");
}

// Switching forwarding off sets these to values of the kernel's choice.
TEST_F(SysctlClaimsTest, PutsBackWhatTheKernelChangesAlongWithForwarding) {
  make_pair("eth0", "far");
  set("net/ipv4/conf/all/accept_redirects", "0");
  set("net/ipv4/conf/far/forwarding", "1");
  set("net/ipv6/conf/far/forwarding", "1");
  set("net/ipv6/conf/default/forwarding", "1");
  auto claims = open_or_fail(kServer);
  enable(claims);
  EXPECT_EQ(get("net/ipv4/conf/eth0/forwarding"), "1");
  ASSERT_TRUE(claims.release());
  EXPECT_EQ(get("net/ipv4/conf/all/accept_redirects"), "0");
  EXPECT_EQ(get("net/ipv4/conf/far/forwarding"), "1");
  EXPECT_EQ(get("net/ipv6/conf/far/forwarding"), "1");
  EXPECT_EQ(get("net/ipv6/conf/default/forwarding"), "1");
  EXPECT_EQ(get("net/ipv4/conf/eth0/forwarding"), "0");
  EXPECT_EQ(get("net/ipv6/conf/eth0/forwarding"), "0");
}

TEST_F(SysctlClaimsTest, CleansUpAfterAKilledProcessOfTheSameName) {
  in_a_process_that_is_killed([&] {
    auto claims = open_or_fail(kServer);
    enable(claims);
    return claims;
  });
  EXPECT_EQ(get(kForwarding4), "1");
  auto claims = open_or_fail(kServer);
  EXPECT_EQ(get(kForwarding4), "0");
  enable(claims);
  ASSERT_TRUE(claims.release());
  EXPECT_EQ(get(kForwarding4), "0");
}

TEST_F(SysctlClaimsTest, CleansUpAfterAKilledProcessOfAnotherNameButNotAfterALiveOne) {
  auto live = open_or_fail({.role = "gateway", .interface = "wg9"});
  ASSERT_TRUE(live.claim({{.path = std::string(kForwarding6), .value = "1"}}));
  in_a_process_that_is_killed([&] {
    auto claims = open_or_fail(kServer);
    enable(claims);
    return claims;
  });
  EXPECT_FALSE(live.is_alive(kServer));
  auto claims = open_or_fail(kOther);
  EXPECT_EQ(get(kForwarding4), "0");
  EXPECT_EQ(get(kForwarding6), "1");
  EXPECT_TRUE(claims.is_alive({.role = "gateway", .interface = "wg9"}));
}

TEST_F(SysctlClaimsTest, NamesTheProcessThatRunsAlready) {
  auto claims = open_or_fail(kServer);
  const auto second = open(kServer);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::AlreadyExists);
  EXPECT_NE(second.error().message.find(fmt::format("{}", ::getpid())), std::string::npos)
      << second.error().message;
}

TEST_F(SysctlClaimsTest, DoesNotTakeTheSettingsOfAnotherNamespaceForItsOwn) {
  auto claims = open_or_fail(kServer);
  enable(claims);
  start_afresh();
  set(kForwarding4, "1");
  auto elsewhere = open_or_fail(kServer);
  ASSERT_TRUE(elsewhere.release());
  EXPECT_EQ(get(kForwarding4), "1");
}

TEST_F(SysctlClaimsTest, ForgetsWhatAnEarlierBootLeft) {
  {
    auto claims = open_or_fail(kServer);
    enable(claims);
  }
  for (const auto& file : std::filesystem::recursive_directory_iterator(run_directory_)) {
    if (file.path().filename() != "ledger") continue;
    shell("sed -i 's/^boot.*/boot\\tanother/' " + file.path().string());
  }
  auto claims = open_or_fail(kServer);
  EXPECT_EQ(get(kForwarding4), "1");  // Set by this boot, whoever did.
}

TEST_F(SysctlClaimsTest, SaysWhichFileItCannotRead) {
  {
    auto claims = open_or_fail(kServer);
  }
  for (const auto& directory : std::filesystem::directory_iterator(run_directory_)) {
    shell("echo nonsense > " + directory.path().string() + "/ledger");
  }
  const auto claims = open(kServer);
  ASSERT_FALSE(claims);
  EXPECT_TRUE(
      claims.error().message.ends_with("/ledger: ledger line 1: cannot be read; remove the "
                                       "file"))
      << claims.error().message;
}

TEST_F(SysctlClaimsTest, NamesTheSettingThatDoesNotExist) {
  auto claims = open_or_fail(kServer);
  const Status claimed = claims.claim({{.path = "net/ipv4/no_such_thing", .value = "1"}});
  ASSERT_FALSE(claimed);
  EXPECT_EQ(claimed.error().code, ErrorCode::NotFound);
  EXPECT_NE(claimed.error().message.find("net/ipv4/no_such_thing"), std::string::npos);
}

// An Ethernet frame with a router advertisement (RFC 4861, section 4.2), as a router on the link
// with address fe80::99 would send it.
std::vector<std::uint8_t> router_advertisement() {
  struct [[gnu::packed]] {
    std::uint8_t ethernet[14] = {0x33, 0x33, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0x99, 0x86, 0xdd};
    std::uint8_t ip[40] = {0x60, 0, 0, 0, 0, 16, 58, 255};
    std::uint8_t message[16] = {134, 0, 0, 0, 64, 0, 0x07, 0x08};  // Lives 1800 s.
  } frame;
  const std::uint8_t source[16] = {0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x99};
  const std::uint8_t target[16] = {0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  std::memcpy(frame.ip + 8, source, sizeof source);
  std::memcpy(frame.ip + 24, target, sizeof target);
  std::uint32_t sum = 16 + 58;  // Of the pseudo-header: length and protocol, then both addresses.
  const auto add = [&](const std::uint8_t* bytes, std::size_t size) {
    for (std::size_t i = 0; i < size; i += 2)
      sum += static_cast<unsigned>(bytes[i] << 8 | bytes[i + 1]);
  };
  add(source, 16);
  add(target, 16);
  add(frame.message, 16);
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  frame.message[2] = static_cast<std::uint8_t>(~sum >> 8);
  frame.message[3] = static_cast<std::uint8_t>(~sum);
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(&frame);
  return {bytes, bytes + sizeof frame};
}

class ForwardingWithAdvertisedRoute : public SysctlClaimsTest {
 protected:
  void SetUp() override {
    SysctlClaimsTest::SetUp();
    make_pair("eth0", "far");
    set("net/ipv6/conf/eth0/accept_ra", "1");
    ASSERT_TRUE(eventually([&] {
      advertise();
      return has_default_route();
    }));
  }
  void advertise() {
    const Fd socket(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
    sockaddr_ll link{};
    link.sll_family = AF_PACKET;
    link.sll_ifindex = static_cast<int>(::if_nametoindex("far"));
    const auto frame = router_advertisement();
    ASSERT_EQ(::sendto(socket.get(), frame.data(), frame.size(), 0,
                       reinterpret_cast<const sockaddr*>(&link), sizeof link),
              static_cast<ssize_t>(frame.size()));
  }
  bool has_default_route() {
    return shell("ip -6 route show default").find("via fe80::99 dev eth0 proto ra") !=
           std::string::npos;
  }
};

// Proves that the tests below would see the loss.
TEST_F(ForwardingWithAdvertisedRoute, LosesTheRouteWithoutCare) {
  set(kForwarding6, "1");
  EXPECT_FALSE(has_default_route());
}

TEST_F(ForwardingWithAdvertisedRoute, KeepsTheRouteWhileItForwardsAndAfter) {
  auto claims = open_or_fail(kServer);
  enable(claims);
  EXPECT_EQ(get("net/ipv6/conf/eth0/accept_ra"), "2");
  EXPECT_TRUE(has_default_route());

  // The router is still listened to: a route that went comes back.
  shell("ip -6 route del default via fe80::99 dev eth0");
  EXPECT_TRUE(eventually([&] {
    advertise();
    return has_default_route();
  }));

  ASSERT_TRUE(claims.release());
  EXPECT_EQ(get(kForwarding6), "0");
  EXPECT_EQ(get("net/ipv6/conf/eth0/accept_ra"), "1");
  EXPECT_TRUE(has_default_route());
}

TEST_F(ForwardingWithAdvertisedRoute, KeepsTheRouteThroughAKillAndTheNextStart) {
  in_a_process_that_is_killed([&] {
    auto claims = open_or_fail(kServer);
    enable(claims);
    return claims;
  });
  auto claims = open_or_fail(kServer);
  EXPECT_TRUE(has_default_route());
  EXPECT_EQ(get("net/ipv6/conf/eth0/accept_ra"), "1");
  enable(claims);
  EXPECT_TRUE(has_default_route());
  ASSERT_TRUE(claims.release());
  EXPECT_TRUE(has_default_route());
}

TEST_F(ForwardingWithAdvertisedRoute, KeepsTheRouteForTheSecondOfTwo) {
  auto first = open_or_fail(kServer);
  auto second = open_or_fail(kOther);
  enable(first);
  enable(second);
  ASSERT_TRUE(first.release());
  EXPECT_EQ(get("net/ipv6/conf/eth0/accept_ra"), "2");
  ASSERT_TRUE(second.release());
  EXPECT_EQ(get("net/ipv6/conf/eth0/accept_ra"), "1");
  EXPECT_TRUE(has_default_route());
}

// A daemon that handles advertisements itself switches the kernel's handling off, and its routes
// are not deleted.
TEST_F(ForwardingWithAdvertisedRoute, LeavesInterfacesOfADaemonToIt) {
  shell("ip -6 route del default via fe80::99 dev eth0");
  set("net/ipv6/conf/eth0/accept_ra", "0");
  shell("ip -6 route add default via fe80::99 dev eth0 proto ra expires 1800");
  auto claims = open_or_fail(kServer);
  enable(claims);
  EXPECT_EQ(get("net/ipv6/conf/eth0/accept_ra"), "0");
  EXPECT_TRUE(has_default_route());
  ASSERT_TRUE(claims.release());
  EXPECT_TRUE(has_default_route());
}

TEST_F(ForwardingWithAdvertisedRoute, ListensOnAnUplinkThatComesLater) {
  shell("ip link del eth0");
  auto claims = open_or_fail(kServer);
  EXPECT_EQ(enable(claims), std::vector<std::string>());
  make_pair("eth0", "far");
  set("net/ipv6/conf/far/accept_ra", "0");
  EXPECT_EQ(get("net/ipv6/conf/eth0/accept_ra"), "1");

  EXPECT_EQ(enable(claims), std::vector<std::string>{"eth0"});
  EXPECT_EQ(enable(claims), std::vector<std::string>());
  EXPECT_TRUE(eventually([&] {
    advertise();
    return has_default_route();
  }));

  ASSERT_TRUE(claims.release());
  EXPECT_EQ(get("net/ipv6/conf/eth0/accept_ra"), "1");
  EXPECT_TRUE(has_default_route());
}

TEST_F(SysctlClaimsTest, ListensWhereARouterMayComeLater) {
  make_pair("eth0", "wg0");  // "wg0" stands for the tunnel.
  auto claims = open_or_fail(kServer);
  EXPECT_EQ(enable(claims), std::vector<std::string>());  // It listened all the time.
  EXPECT_EQ(get("net/ipv6/conf/eth0/accept_ra"), "2");
  EXPECT_EQ(get("net/ipv6/conf/wg0/accept_ra"), "1");
  ASSERT_TRUE(claims.release());
  EXPECT_EQ(get("net/ipv6/conf/eth0/accept_ra"), "1");
}

// On a router, accept_ra = 1 means that nobody is listened to.
TEST_F(SysctlClaimsTest, DoesNotListenWhereTheHostIsTheRouter) {
  make_pair("eth0", "lan");
  set("net/ipv6/conf/lan/forwarding", "1");
  auto claims = open_or_fail(kServer);
  for (int i = 0; i < 2; ++i) {
    SCOPED_TRACE(i);
    enable(claims);
    EXPECT_EQ(get("net/ipv6/conf/eth0/accept_ra"), "2");
    EXPECT_EQ(get("net/ipv6/conf/lan/accept_ra"), "1");
  }
  ASSERT_TRUE(claims.release());
  set(kForwarding6, "1");
  for (int i = 0; i < 2; ++i) {
    SCOPED_TRACE(i);
    enable(claims);
    EXPECT_EQ(get("net/ipv6/conf/eth0/accept_ra"), "1");
  }
}

TEST_F(SysctlClaimsTest, ForgetsWhatWentWithItsInterface) {
  make_pair("eth0", "far");
  auto claims = open_or_fail(kServer);
  const std::string gone = "net/ipv6/conf/eth0/accept_ra";
  ASSERT_TRUE(claims.claim({{.path = gone, .value = "2"}}));
  EXPECT_EQ(claims.find(gone)->value().original, "1");
  shell("ip link del eth0");
  ASSERT_TRUE(claims.claim({{.path = std::string(kForwarding4), .value = "1"}}));
  EXPECT_EQ(*claims.find(gone), std::nullopt);
  EXPECT_NE(*claims.find(kForwarding4), std::nullopt);
}

TEST_F(SysctlClaimsTest, OutliveAProcessThatLeavesItsStandingFile) {
  const Owner up{.role = "up", .interface = "wg2"};
  std::string standing;
  {
    SysctlClaims claims = open_or_fail(up);
    standing = claims.standing_path(up);
    ASSERT_TRUE(write_file_atomically(standing, "", 0600));
    ASSERT_TRUE(claims.claim({{.path = std::string(kForwarding4), .value = "1"}}));
  }
  {
    const SysctlClaims other = open_or_fail(kServer);
    EXPECT_TRUE(other.is_alive(up));
    EXPECT_EQ(get(kForwarding4), "1");
  }
  {
    auto again = SysctlClaims::open(run_directory_, up, SysctlTree(), SysctlClaims::Former::Keep);
    ASSERT_TRUE(again);
    EXPECT_EQ(get(kForwarding4), "1");
    ASSERT_TRUE(remove_file(standing));
  }
  const SysctlClaims other = open_or_fail(kServer);
  EXPECT_EQ(get(kForwarding4), "0");
}

}  // namespace
}  // namespace ginnel::os
