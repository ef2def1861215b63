// A network namespace of the test's own, entered by the whole process and left at the end. What
// the test starts (nft, ip) inherits it; the kernel takes it down.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>

#include <array>
#include <cstdio>
#include <string>

#include "os/fd.h"

namespace ginnel::os {

struct CommandResult {
  int status = 0;
  std::string output;  // Standard output and standard error.
};

inline CommandResult run(const std::string& command) {
  CommandResult result;
  std::FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
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

 private:
  Fd original_;
};

}  // namespace ginnel::os
