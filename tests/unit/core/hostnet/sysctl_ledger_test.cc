#include "core/hostnet/sysctl_ledger.h"

#include <gtest/gtest.h>

namespace ginnel::hostnet {
namespace {

const Owner kFirst{.role = "server", .interface = "wg0"};
const Owner kSecond{.role = "gateway", .interface = "wg1"};
const Sysctl kForwarding{.path = "net/ipv4/ip_forward", .value = "1"};

std::vector<std::string> paths_of(const std::vector<LedgerEntry>& entries) {
  std::vector<std::string> paths;
  for (const LedgerEntry& entry : entries) paths.push_back(entry.path);
  return paths;
}

TEST(SysctlLedger, PutsBackWhenTheLastOwnerLeaves) {
  SysctlLedger ledger("boot");
  ASSERT_TRUE(ledger.claim(kFirst, kForwarding, "0", {{.path = "net/x", .value = "1"}}));
  ASSERT_TRUE(ledger.claim(kSecond, kForwarding, "1", {}));
  EXPECT_TRUE(ledger.release(kFirst).empty());
  const auto unwanted = ledger.release(kSecond);
  ASSERT_EQ(unwanted.size(), 1u);
  EXPECT_EQ(unwanted[0].original, "0");  // As it was before anybody, not before the last.
  EXPECT_EQ(unwanted[0].side_effects.size(), 1u);
  EXPECT_TRUE(ledger.entries().empty());
}

TEST(SysctlLedger, PutsBackInReverseOrder) {
  SysctlLedger ledger("boot");
  for (const char* path : {"net/a", "net/b", "net/c"}) {
    ASSERT_TRUE(ledger.claim(kFirst, {.path = path, .value = "1"}, "0", {}));
  }
  EXPECT_EQ(paths_of(ledger.release(kFirst)),
            (std::vector<std::string>{"net/c", "net/b", "net/a"}));
}

TEST(SysctlLedger, CountsAnOwnerOnce) {
  SysctlLedger ledger("boot");
  ASSERT_TRUE(ledger.claim(kFirst, kForwarding, "0", {}));
  ASSERT_TRUE(ledger.claim(kFirst, kForwarding, "1", {}));
  EXPECT_EQ(ledger.owners(), std::vector<Owner>{kFirst});
  EXPECT_EQ(ledger.release(kFirst).size(), 1u);
}

TEST(SysctlLedger, LeavesToOthersWhatTheyWant) {
  SysctlLedger ledger("boot");
  ASSERT_TRUE(ledger.claim(kFirst, kForwarding, "0", {}));
  EXPECT_TRUE(ledger.release(kSecond).empty());
  EXPECT_EQ(ledger.entries().size(), 1u);
}

TEST(SysctlLedger, WhatNobodyOwnsIsTakenOverByWhoeverWantsIt) {
  auto ledger = SysctlLedger::parse("boot\tx\nsysctl\tnet/ipv4/ip_forward\t0\t2\n");
  ASSERT_TRUE(ledger);
  ASSERT_TRUE(ledger->claim(kFirst, kForwarding, "2", {}));
  EXPECT_EQ(ledger->find(kForwarding.path)->value, "1");
  const auto unwanted = ledger->release(kFirst);
  ASSERT_EQ(unwanted.size(), 1u);
  EXPECT_EQ(unwanted[0].original, "0");
}

TEST(SysctlLedger, NamesWhoWantsAnotherValue) {
  SysctlLedger ledger("boot");
  ASSERT_TRUE(ledger.claim(kFirst, kForwarding, "0", {}));
  const Status claimed = ledger.claim(kSecond, {.path = kForwarding.path, .value = "2"}, "1", {});
  ASSERT_FALSE(claimed);
  EXPECT_EQ(claimed.error().code, ErrorCode::Conflict);
  EXPECT_EQ(claimed.error().message,
            "sysctl net/ipv4/ip_forward: 2 is wanted, but ginnel:server:wg0 set it to 1; stop that "
            "first");
}

TEST(SysctlLedger, RefusesPathsThatLeaveTheTree) {
  for (const char* path :
       {"", "/net/x", "net//x", "../etc/passwd", "net/../../x", "net/.", "a\tb", "a\nb", "net/"}) {
    SCOPED_TRACE(path);
    SysctlLedger ledger("boot");
    EXPECT_FALSE(ledger.claim(kFirst, {.path = path, .value = "1"}, "0", {}));
    const std::string text = fmt::format("boot\tx\nsysctl\t{}\t0\t1\n", path);
    EXPECT_FALSE(SysctlLedger::parse(text));
  }
}

TEST(SysctlLedger, ReadsItsOwnTextBack) {
  SysctlLedger ledger("1b4e28ba-2fa1");
  ASSERT_TRUE(ledger.claim(kFirst, kForwarding, "0",
                           {{.path = "net/ipv4/conf/eth0.100/forwarding", .value = "1"},
                            {.path = "net/ipv4/conf/all/accept_redirects", .value = "0"}}));
  ASSERT_TRUE(ledger.claim(kSecond, kForwarding, "1", {}));
  ASSERT_TRUE(
      ledger.claim(kSecond, {.path = "net/ipv6/conf/eth0/accept_ra", .value = "2"}, "", {}));
  const auto read = SysctlLedger::parse(ledger.to_text());
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, ledger);
}

TEST(SysctlLedger, RefusesTextThatIsNotItsOwn) {
  const struct {
    const char* text;
    const char* message;
  } rows[] = {
      {"nonsense", "ledger line 1: cannot be read"},
      {"boot\tx\nboot\ty\n", "ledger line 2: cannot be read"},
      {"boot\tx\nowner\tginnel:server:wg0\n", "ledger line 2: cannot be read"},
      {"boot\tx\neffect\tnet/x\t1\n", "ledger line 2: cannot be read"},
      {"boot\tx\nsysctl\tnet/x\t0\n", "ledger line 2: cannot be read"},
      {"boot\tx\nsysctl\tnet/x\t0\t1\nowner\twg0\n", "ledger line 3: cannot be read"},
      {"boot\tx\nsysctl\tnet/x\t0\t1\neffect\t/x\t1\n", "ledger line 3: cannot be read"},
  };
  for (const auto& row : rows) {
    const auto read = SysctlLedger::parse(row.text);
    ASSERT_FALSE(read) << row.text;
    EXPECT_EQ(read.error().message, row.message);
  }
  EXPECT_TRUE(SysctlLedger::parse(""));
}

TEST(SysctlLedger, ForgetsASettingOfEveryOwner) {
  SysctlLedger ledger("boot");
  ASSERT_TRUE(ledger.claim(kFirst, kForwarding, "0", {}));
  ASSERT_TRUE(ledger.claim(kFirst, {.path = "net/other", .value = "1"}, "0", {}));
  ledger.forget(kForwarding.path);
  ledger.forget("net/unknown");
  EXPECT_EQ(ledger.find(kForwarding.path), nullptr);
  EXPECT_NE(ledger.find("net/other"), nullptr);
}

TEST(SysctlLedger, BoundsItsEntries) {
  SysctlLedger ledger("boot");
  for (std::size_t i = 0; i < SysctlLedger::kMaxEntries; ++i) {
    ASSERT_TRUE(ledger.claim(kFirst, {.path = fmt::format("net/{}", i), .value = "1"}, "0", {}));
  }
  const auto read = SysctlLedger::parse(ledger.to_text());
  EXPECT_TRUE(read);
  EXPECT_FALSE(ledger.claim(kFirst, {.path = "net/more", .value = "1"}, "0", {}));
  EXPECT_FALSE(SysctlLedger::parse(ledger.to_text() + "sysctl\tnet/more\t0\t1\n"));
}

TEST(SysctlLedger, BoundsTheOwnersOfAnEntry) {
  SysctlLedger ledger("boot");
  for (std::size_t i = 0; i < SysctlLedger::kMaxOwners; ++i) {
    const Owner owner{.role = "server", .interface = fmt::format("wg{}", i)};
    ASSERT_TRUE(ledger.claim(owner, kForwarding, "0", {}));
  }
  EXPECT_TRUE(SysctlLedger::parse(ledger.to_text()));
  EXPECT_FALSE(ledger.claim({.role = "server", .interface = "more"}, kForwarding, "0", {}));
  EXPECT_FALSE(SysctlLedger::parse(ledger.to_text() + "owner\tginnel:server:more\n"));
}

TEST(SysctlLedger, BoundsTheSideEffectsOfAnEntry) {
  std::vector<Sysctl> effects(SysctlLedger::kMaxSideEffects, {.path = "net/x", .value = "1"});
  SysctlLedger ledger("boot");
  ASSERT_TRUE(ledger.claim(kFirst, kForwarding, "0", effects));
  EXPECT_TRUE(SysctlLedger::parse(ledger.to_text()));
  effects.push_back({.path = "net/x", .value = "1"});
  EXPECT_FALSE(ledger.claim(kFirst, {.path = "net/other", .value = "1"}, "0", effects));
}

TEST(SysctlLedger, BoundsItsText) {
  std::string text = "boot\tx\n";
  text.resize(SysctlLedger::kMaxTextSize, '\n');
  EXPECT_TRUE(SysctlLedger::parse(text));
  EXPECT_FALSE(SysctlLedger::parse(text + "\n"));
}

}  // namespace
}  // namespace ginnel::hostnet
