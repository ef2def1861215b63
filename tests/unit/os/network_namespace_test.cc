// Needs root.
#include "os/network_namespace.h"

#include <gtest/gtest.h>
#include <net/if.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <optional>
#include <thread>

#include "os/rtnetlink.h"

namespace ginnel::os {
namespace {

bool sees(const char* interface) { return if_nametoindex(interface) != 0; }

TEST(NetworkNamespace, IsEmptyAndMovesOnlyTheCallingThread) {
  std::optional<NetworkNamespace> space;
  std::thread([&] {
    auto made = NetworkNamespace::enter_new();
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_TRUE(sees("lo"));
    ASSERT_TRUE(Rtnetlink::open()->create_link("only-there", "bridge"));
    EXPECT_TRUE(sees("only-there"));
    std::thread([] { EXPECT_TRUE(sees("only-there")) << "a thread started there"; }).join();
    space = std::move(*made);
  }).join();
  EXPECT_FALSE(sees("only-there"));

  std::thread([&] {
    ASSERT_TRUE(space->enter());
    EXPECT_TRUE(sees("only-there"));
  }).join();
}

TEST(NetworkNamespace, SaysWhatItTakesToMakeOne) {
  std::thread([] {
    // Only this thread's privileges: the raw call does not change those of the others.
    ASSERT_EQ(syscall(SYS_setresuid, 65534, 65534, 65534), 0);
    const auto made = NetworkNamespace::enter_new();
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, ErrorCode::PermissionDenied);
    EXPECT_NE(made.error().message.find("run it as root"), std::string::npos);
  }).join();
}

}  // namespace
}  // namespace ginnel::os
