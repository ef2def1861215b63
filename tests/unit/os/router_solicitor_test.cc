#include "os/router_solicitor.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <poll.h>

#include "in_child.h"
#include "os/capability.h"
#include "unit/os/private_network.h"

namespace ginnel::os {
namespace {

using RouterSolicitorTest = PrivateNetwork;

// Everything that arrives at an interface.
Fd listen_on(const char* interface) {
  Fd fd(::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(0x86dd)));
  sockaddr_ll link{};
  link.sll_family = AF_PACKET;
  link.sll_protocol = htons(0x86dd);
  link.sll_ifindex = static_cast<int>(::if_nametoindex(interface));
  EXPECT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&link), sizeof link), 0);
  return fd;
}

bool hears_solicitation(const Fd& fd) {
  for (;;) {
    pollfd waiting{.fd = fd.get(), .events = POLLIN, .revents = 0};
    if (::poll(&waiting, 1, 10'000) != 1) return false;
    std::array<std::uint8_t, 2048> packet{};
    const ssize_t size = ::recv(fd.get(), packet.data(), packet.size(), 0);
    const in6_addr all_routers = {{{0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2}}};
    const bool asks = size == 48 && packet[6] == 58 && packet[7] == 255 && packet[40] == 133;
    if (asks && std::memcmp(&packet[24], &all_routers, 16) == 0 && packet[8] == 0xfe) return true;
  }
}

TEST_F(RouterSolicitorTest, AsksAllRoutersOfALink) {
  make_pair("eth0", "far");
  shell("sysctl -qw net.ipv6.conf.eth0.router_solicitations=0");
  auto solicitor = RouterSolicitor::open();
  ASSERT_TRUE(solicitor) << solicitor.error().message;
  const Fd far = listen_on("far");
  const Status asked = solicitor->solicit(::if_nametoindex("eth0"));
  ASSERT_TRUE(asked) << asked.error().message;
  EXPECT_TRUE(hears_solicitation(far));
}

TEST_F(RouterSolicitorTest, NeedsNoCapabilityOnceItIsOpen) {
  make_pair("eth0", "far");
  EXPECT_EQ(in_child([] {
              auto solicitor = RouterSolicitor::open();
              if (!solicitor || !keep_only({})) return 1;
              if (RouterSolicitor::open()) return 2;
              return solicitor->solicit(::if_nametoindex("eth0")) ? 0 : 3;
            }),
            0);
}

TEST_F(RouterSolicitorTest, SaysWhereItCannotAsk) {
  auto solicitor = RouterSolicitor::open();
  ASSERT_TRUE(solicitor);
  const Status asked = solicitor->solicit(4711);
  ASSERT_FALSE(asked);
  EXPECT_TRUE(asked.error().message.starts_with("ask for routers on interface 4711"));
}

}  // namespace
}  // namespace ginnel::os
