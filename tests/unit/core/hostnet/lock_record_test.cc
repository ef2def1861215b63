#include "core/hostnet/lock_record.h"

#include <gtest/gtest.h>

#include "unit/core/hostnet/lock_samples.h"

namespace ginnel::hostnet {
namespace {

TEST(LockRecord, ReadsWhatItWrote) {
  for (LockState state : kLockStates) {
    LockPolicy policy = full_policy(state);
    policy.devices.clear();  // They are the host's own affair.
    policy.split[1].cgroup_id = 0;
    policy.split_dns = true;
    if (state != LockState::Locked) policy.known_routes.emplace();
    if (state == LockState::Connected) {
      policy.known_routes = {{.destination = to_prefix("8.8.8.0/24"), .interface = "eth0"}};
    }
    policy.split_mark.mask = 0x7f000000;
    policy.mark = {.value = 51820, .mask = 0x8000ffff};
    policy.owned = false;
    policy.table = 7;
    policy.allowed_priority = 100;
    policy.tunnel_priority = 103;
    policy.unreachable_priority = 104;
    const auto read = parse_lock_policy(to_text(policy));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(*read, policy) << name_of(state);
  }
}

TEST(LockRecord, NamesTheLineThatItCannotRead) {
  const std::string_view lines[] = {"state ajar",
                                    "state\tajar",
                                    "mark\t1",
                                    "mark\tx\t1",
                                    "endpoint\t1.2.3.4",
                                    "tunnel\t",
                                    "lan_prefix\t10.0.0.0/8",
                                    "allowed\t10.0.0.1/8",
                                    "unknown\tx",
                                    "owned\tperhaps",
                                    "listen_port\t0",
                                    "tunnel\tsixteen-letters-",
                                    "priorities\t1\t2",
                                    "table\t-1",
                                    "split_dns\tyes",
                                    "split_user\t4294967295",
                                    "split_user\troot",
                                    "split_name\tcurl",
                                    "known_route\t8.8.8.0/24\teth0",
                                    "known_routes\t1"};
  for (std::string_view line : lines) {
    SCOPED_TRACE(line);
    const auto read = parse_lock_policy("state\tlocked\n" + std::string(line) + "\n");
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().message, "line 2: cannot be read");
  }
}

TEST(LockRecord, RefusesAPolicyThatContradictsItself) {
  EXPECT_FALSE(parse_lock_policy("state\tlocked\nmark\t0\t65535\n"));
  EXPECT_TRUE(parse_lock_policy("state\tlocked\n"));
}

TEST(LockRecord, HasALimit) {
  std::string text = "state\tlocked\n";
  text.resize(kMaxLockRecord, '\n');
  EXPECT_TRUE(parse_lock_policy(text));
  text += '\n';
  EXPECT_FALSE(parse_lock_policy(text));
}

}  // namespace
}  // namespace ginnel::hostnet
