// A network namespace of the test's own, entered by the whole process and left at the end. What
// the test starts (nft, ip) inherits it; the kernel takes it down.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>

#include <array>
#include <cstdio>
#include <string>
#include <thread>

#include "os/fd.h"

namespace ginnel::os {

struct CommandResult {
  int status = 0;
  std::string output;  // Standard output and standard error.
};

inline CommandResult run(const std::string& command) {
  CommandResult result;
  std::FILE* pipe = ::popen(("{ " + command + "\n} 2>&1").c_str(), "r");
  if (!pipe) return {.status = -1, .output = "popen failed"};
  std::array<char, 4096> buffer;
  while (const std::size_t size = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
    result.output.append(buffer.data(), size);
  }
  result.status = ::pclose(pipe);
  return result;
}

// Runs a command that must succeed, and returns what it prints.
inline std::string shell(const std::string& command) {
  const CommandResult result = run(command);
  EXPECT_EQ(result.status, 0) << command << "\n" << result.output;
  return result.output;
}

// Whether the condition comes true: asks again and again, for at most ten seconds. The kernel
// reports carriers and finishes addresses in its own time.
template <class Condition>
bool eventually(Condition&& condition) {
  using namespace std::chrono_literals;
  for (int i = 0; i < 500; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(20ms);
  }
  return false;
}

class PrivateNetwork : public testing::Test {
 protected:
  void SetUp() override {
    original_ = Fd(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
    ASSERT_TRUE(original_);
    start_afresh();
  }
  void TearDown() override { ASSERT_EQ(::setns(original_.get(), CLONE_NEWNET), 0); }

  // Another empty namespace; the one before is gone with everything in it.
  void start_afresh() {
    ASSERT_EQ(::unshare(CLONE_NEWNET), 0) << "these tests need CAP_SYS_ADMIN";
    shell("ip link set lo up");
  }

  // Two ends of a cable, up and settled, so that nothing about them changes by itself any more.
  void make_pair(const std::string& name, const std::string& far) {
    shell("ip link add " + name + " type veth peer name " + far);
    for (const std::string& end : {name, far}) {
      shell("sysctl -qw net.ipv6.conf." + end + ".accept_dad=0 && ip link set " + end + " up");
    }
    for (const std::string& end : {name, far}) {
      EXPECT_TRUE(eventually([&] {
        const std::string shown = run("ip addr show " + end).output;
        return shown.find("state UP") != std::string::npos &&
               shown.find("inet6 fe80") != std::string::npos &&
               shown.find("tentative") == std::string::npos;
      })) << end;
    }
  }

 private:
  Fd original_;
};

}  // namespace ginnel::os
