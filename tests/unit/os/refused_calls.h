// Kernels that refuse an offload are not at hand, but their answer is.
#pragma once

#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace ginnel::os {

// An argument of a system call compared with a value: BPF_JEQ, BPF_JGT or BPF_JSET (any common
// bit).
struct Condition {
  unsigned argument;
  unsigned comparison;
  std::uint32_t value;
};

// Makes one system call fail with `error` on this thread, for good, when all conditions hold. With
// 0 it does nothing and says that it did.
inline void refuse(int call, const std::vector<Condition>& conditions,
                   std::uint32_t error = EINVAL) {
  std::vector<sock_filter> code;
  const auto load = [&](std::size_t offset) {
    code.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset)));
  };
  const auto unless = [&](unsigned comparison, std::uint32_t value) {
    code.push_back(BPF_JUMP(static_cast<std::uint16_t>(BPF_JMP | comparison | BPF_K), value, 1, 0));
    code.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  };
  load(offsetof(seccomp_data, nr));
  unless(BPF_JEQ, static_cast<std::uint32_t>(call));
  for (const Condition& condition : conditions) {
    load(offsetof(seccomp_data, args) + 8 * condition.argument);
    unless(condition.comparison, condition.value);
  }
  code.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error));
  const sock_fprog program{static_cast<unsigned short>(code.size()), code.data()};
  ASSERT_EQ(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
  ASSERT_EQ(::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

}  // namespace ginnel::os
