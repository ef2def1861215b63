#include "os/capability.h"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "in_child.h"
#include "os/udp_socket.h"
#include "test_network.h"
#include "udp_traffic.h"

namespace ginnel::os {
namespace {

constexpr Capability kAll[] = {Capability::NetAdmin, Capability::NetBindService, Capability::NetRaw,
                               Capability::SysAdmin, Capability::DacOverride,    Capability::Chown};

TEST(Capability, RootHasThemAll) {
  for (const Capability capability : kAll) {
    EXPECT_TRUE(has_capability(capability)) << name_of(capability);
    EXPECT_TRUE(require_capability(capability, "do it"));
  }
}

TEST(Capability, OnlyWhatIsKeptIsLeft) {
  for (const Capability kept : kAll) {
    EXPECT_EQ(in_child([&] {
                if (!keep_only({{kept}})) return 1;
                for (const Capability capability : kAll) {
                  if (has_capability(capability) != (capability == kept)) return 2;
                }
                // A program started now cannot get the others back.
                if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) return 4;
                return prctl(PR_CAPBSET_READ, 21 /* CAP_SYS_ADMIN */) ==
                               (kept == Capability::SysAdmin ? 1 : 0)
                           ? 0
                           : 3;
              }),
              0)
        << name_of(kept);
  }
}

TEST(Capability, LostOnesDoNotComeBack) {
  EXPECT_EQ(in_child([] {
              if (!keep_only({})) return 1;
              if (!keep_only(kAll)) return 2;
              return has_capability(Capability::NetAdmin) ? 3 : 0;
            }),
            0);
}

TEST(Capability, SaysHowToGetWhatIsMissing) {
  EXPECT_EQ(in_child([] {
              if (!keep_only({})) return 1;
              const Status needed = require_capability(Capability::NetAdmin, "bring up wg0");
              return !needed && needed.error().code == ErrorCode::PermissionDenied &&
                             needed.error().message ==
                                 "bring up wg0: needs CAP_NET_ADMIN; run it as root, or as a "
                                 "service with AmbientCapabilities=CAP_NET_ADMIN"
                         ? 0
                         : 2;
            }),
            0);
}

// A service user with two capabilities binds, marks and sizes its socket as root does.
TEST(Capability, NetAdminAndNetBindServiceSufficeForASocket) {
  const Namespace space;
  const Namespace::Inside inside(space);
  EXPECT_EQ(in_child([] {
              const Capability needed[] = {Capability::NetAdmin, Capability::NetBindService};
              if (!keep_only(needed)) return 1;
              return UdpSocket::bind({.port = 53, .fwmark = 1}) ? 0 : 2;
            }),
            0);
}

TEST(Capability, SocketsSayWhatTheyLack) {
  const Namespace space;
  const Namespace::Inside inside(space);
  EXPECT_EQ(in_child([] {
              if (!keep_only({})) return 1;
              const auto low_port = UdpSocket::bind({.port = 53});
              const auto marked = UdpSocket::bind({.fwmark = 1});
              if (low_port || marked) return 2;
              if (low_port.error().message.find("CAP_NET_BIND_SERVICE") == std::string::npos) {
                return 3;
              }
              if (marked.error().message.find("CAP_NET_ADMIN") == std::string::npos) return 4;
              return UdpSocket::bind({}) ? 0 : 5;  // With smaller buffers.
            }),
            0);
}

}  // namespace
}  // namespace ginnel::os
