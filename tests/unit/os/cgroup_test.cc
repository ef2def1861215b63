#include "os/cgroup.h"

#include <gtest/gtest.h>

namespace ginnel::os {
namespace {

TEST(CgroupRoot, IsWhereTheWholeHierarchyIsMounted) {
  const struct {
    const char* mounts;
    std::optional<std::string> root;
  } rows[] = {
      {"", std::nullopt},
      {"36 35 0:32 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n",
       "/sys/fs/cgroup"},
      {"36 35 0:32 / /sys/fs/cgroup/unified rw - cgroup2 none rw", "/sys/fs/cgroup/unified"},
      {"36 35 0:32 / /my\\040groups rw a:1 b:2 - cgroup2 none rw", "/my groups"},
      {"36 35 0:32 / /sys/fs/cgroup/cpu rw shared:9 - cgroup cgroup rw,cpu\n"
       "37 35 0:33 / /run/c rw - cgroup2 none rw\n",
       "/run/c"},
      {"36 35 0:32 /a.slice /run/part rw - cgroup2 none rw\n", std::nullopt},
      {"36 35 0:32 / /run/cgroup2 rw cgroup2 - tmpfs cgroup2 rw\n", std::nullopt},
      {"36 35 0:32 / /x rw -\n", std::nullopt},
      {"cgroup2\n - cgroup2 \n", std::nullopt},
      {"36 35 0:32 / /a\\0 rw - cgroup2 none rw", "/a\\0"},
      {"36 35 0:32 / /a\\999 rw - cgroup2 none rw", "/a\\999"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.mounts);
    EXPECT_EQ(cgroup_root(row.mounts), row.root);
  }
}

TEST(FindCgroup, FindsNoneThatIsNotThere) {
  EXPECT_EQ(find_cgroup("ginnel-test-no-such-group"), std::nullopt);
  EXPECT_EQ(find_cgroup("cgroup.procs"), std::nullopt);  // A file, not a group.
}

}  // namespace
}  // namespace ginnel::os
