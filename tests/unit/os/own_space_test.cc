#include "os/own_space.h"

#include <gtest/gtest.h>

namespace ginnel::os {
namespace {

TEST(NamespaceRemedy, NamesTheSettingThatRefuses) {
  struct Row {
    NamespaceSettings settings;
    std::string_view named;
  };
  const Row rows[] = {
      {{.clone = "0", .most = "1000"}, "sysctl -w kernel.unprivileged_userns_clone=1"},
      {{.clone = "1", .most = "0"}, "sysctl -w user.max_user_namespaces=10000"},
      {{.most = "1000", .apparmor = "1"},
       "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"},
      {{.clone = "1", .most = "1000", .apparmor = "0"}, "seccomp"},
      {{}, "seccomp"},
  };
  for (const Row& row : rows) {
    const std::string remedy = namespace_remedy(row.settings);
    EXPECT_NE(remedy.find(row.named), std::string::npos) << remedy;
  }
}

TEST(PrivateMounts, FindOutWhereAPathLeads) {
  EXPECT_EQ(PrivateMounts::resolve("/proc/../etc"), "/etc");
  EXPECT_EQ(PrivateMounts::resolve("/no/such/file"), "");
}

}  // namespace
}  // namespace ginnel::os
