#include "os/own_space.h"

#include <gtest/gtest.h>

#include "os/file.h"
#include "os/rtnetlink.h"
#include "unit/os/in_child.h"

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

TEST(HiddenSpace, HasAnEmptyRunAndNoNetwork) {
  const int code = in_child([] {
    if (!enter_hidden_space()) return 2;
    const auto names = list_directory("/run");
    if (!names || !names->empty()) return 3;
    const auto rtnetlink = Rtnetlink::open();
    if (!rtnetlink) return 4;
    auto links = Rtnetlink::open()->read_links();
    if (!links) return 5;
    return std::ranges::all_of(*links, [](const auto& link) { return !link.up; }) ? 0 : 6;
  });
  EXPECT_EQ(code, 0) << "these tests need CAP_SYS_ADMIN";
}

TEST(PrivateMounts, FindOutWhereAPathLeads) {
  EXPECT_EQ(PrivateMounts::resolve("/proc/../etc"), "/etc");
  EXPECT_EQ(PrivateMounts::resolve("/no/such/file"), "");
}

}  // namespace
}  // namespace ginnel::os
