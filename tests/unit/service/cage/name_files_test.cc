#include "service/cage/name_files.h"

#include <gtest/gtest.h>

namespace ginnel::cage {
namespace {

TEST(ResolvConf, NamesTheServersAndTheSearchList) {
  EXPECT_EQ(resolv_conf_text({.servers = {"10.0.0.1", "fd00::1", "10.0.0.3", "10.0.0.4"},
                              .search_domains = {"a.example", "b.example"}}),
            "# Of ginnel cage: names are looked up through the tunnel.\n"
            "nameserver 10.0.0.1\nnameserver fd00::1\nnameserver 10.0.0.3\n"
            "search a.example b.example\n");
  EXPECT_EQ(resolv_conf_text({}), "# Of ginnel cage: names are looked up through the tunnel.\n");
}

TEST(Nsswitch, LeavesOnlyWhatAsksNobodyOutside) {
  const std::pair<const char*, const char*> rows[] = {
      {"hosts: files dns", "hosts: files dns"},
      {"hosts:\tfiles\tdns", "hosts: files dns"},
      {"hosts: mymachines resolve [!UNAVAIL=return] files myhostname dns",
       "hosts: files myhostname dns"},
      {"hosts: files mdns4_minimal [NOTFOUND=return SUCCESS=continue] dns [!UNAVAIL=return] wins",
       "hosts: files dns [!UNAVAIL=return]"},
      {"hosts: resolve[NOTFOUND=return]dns", "hosts: dns"},
      {"hosts: files # dns", "hosts: files dns"},
      {"hosts: [", "hosts: dns"},
      {"hosts:", "hosts: dns"},
      {"hosts: files [NOTFOUND=return", "hosts: files [NOTFOUND=return dns"},
  };
  for (const auto& [host, cage] : rows) {
    SCOPED_TRACE(host);
    EXPECT_EQ(nsswitch_text(host), std::string(cage) + "\n");
  }
}

TEST(Nsswitch, LeavesTheOtherLines) {
  EXPECT_EQ(nsswitch_text("# mine\npasswd: files sss\n\nhosts: resolve\nshadow: files\n"),
            "# mine\npasswd: files sss\n\nhosts: dns\nshadow: files\n");
  EXPECT_EQ(nsswitch_text("passwd: files\n"), "passwd: files\nhosts: files dns\n");
  EXPECT_EQ(nsswitch_text(""), "\nhosts: files dns\n");
}

}  // namespace
}  // namespace ginnel::cage
