#include "core/hostnet/resolver_stack.h"

#include <gtest/gtest.h>

namespace ginnel::hostnet {
namespace {

using Kind = ResolverStack::Change::Kind;
using File = std::optional<std::string>;

const Owner kWg0{.role = "up", .interface = "wg0"};
const Owner kWg1{.role = "up", .interface = "wg1"};
const WantedResolver kFirst{.servers = {"10.0.0.1", "fd00::1"}, .search = {"a.example", "b"}};
const WantedResolver kSecond{.servers = {"10.1.0.1"}};

void carry_out(const ResolverStack::Change& change, File& file) {
  if (change.kind == Kind::Write) file = change.text;
  if (change.kind == Kind::Remove) file.reset();
}
void push(ResolverStack& stack, const Owner& owner, const WantedResolver& wanted, File& file) {
  const auto change = stack.push(owner, wanted, file);
  ASSERT_TRUE(change);
  carry_out(*change, file);
}

TEST(ResolverStack, WritesWhatAResolverReads) {
  const std::string text = resolv_conf_text(kWg0, kFirst);
  EXPECT_TRUE(text.starts_with("# ginnel:up:wg0"));
  EXPECT_TRUE(text.ends_with("\nnameserver 10.0.0.1\nnameserver fd00::1\nsearch a.example b\n"));
}

TEST(ResolverStack, PutsBackWhatStoodThereInAnyOrderOfLeaving) {
  for (const File& original : {File("nameserver 192.0.2.1\n"), File("")}) {
    for (const auto& [first, second] : {std::pair(kWg0, kWg1), std::pair(kWg1, kWg0)}) {
      File file = original;
      ResolverStack stack;
      push(stack, kWg0, kFirst, file);
      push(stack, kWg1, kSecond, file);
      EXPECT_EQ(file, resolv_conf_text(kWg1, kSecond));
      carry_out(stack.pop(first, file), file);
      EXPECT_EQ(file, resolv_conf_text(second, second == kWg0 ? kFirst : kSecond));
      carry_out(stack.pop(second, file), file);
      EXPECT_EQ(file, original);
      EXPECT_TRUE(stack.empty());
    }
  }
}

TEST(ResolverStack, RemovesAFileThatWasNotThere) {
  File file;
  ResolverStack stack;
  push(stack, kWg0, kFirst, file);
  carry_out(stack.pop(kWg0, file), file);
  EXPECT_EQ(file, std::nullopt);
}

TEST(ResolverStack, LeavesAloneWhatSomebodyElseWrote) {
  File file = "nameserver 192.0.2.1\n";
  ResolverStack stack;
  push(stack, kWg0, kFirst, file);
  file = "nameserver 192.0.2.2\n";
  EXPECT_EQ(stack.pop(kWg0, file).kind, Kind::None);
  EXPECT_EQ(stack.pop(kWg0, file).kind, Kind::None);
}

TEST(ResolverStack, ReplacesWhatAnOwnerWants) {
  File file = "nameserver 192.0.2.1\n";
  ResolverStack stack;
  push(stack, kWg0, kFirst, file);
  push(stack, kWg0, kSecond, file);
  EXPECT_EQ(file, resolv_conf_text(kWg0, kSecond));
  carry_out(stack.pop(kWg0, file), file);
  EXPECT_EQ(file, "nameserver 192.0.2.1\n");
}

TEST(ResolverStack, IsReadBackAsItWas) {
  File file = "nameserver 192.0.2.1\n";
  ResolverStack stack;
  EXPECT_EQ(ResolverStack::parse(stack.to_text()), stack);
  push(stack, kWg0, kFirst, file);
  push(stack, kWg1, kSecond, file);
  EXPECT_EQ(ResolverStack::parse(stack.to_text()), stack);
  EXPECT_FALSE(ResolverStack::parse("original 0\n"));
  EXPECT_FALSE(ResolverStack::parse("entry ginnel:up:wg0 00\n"));
  EXPECT_FALSE(ResolverStack::parse("original\nentry x 00\n"));
}

TEST(ResolverStack, HasALimit) {
  File file;
  ResolverStack stack;
  for (std::size_t i = 0; i < ResolverStack::kMaxOwners; ++i) {
    push(stack, {.role = "up", .interface = std::to_string(i)}, kSecond, file);
  }
  EXPECT_FALSE(stack.push(kWg0, kFirst, file));
  push(stack, {.role = "up", .interface = "0"}, kFirst, file);
}

}  // namespace
}  // namespace ginnel::hostnet
