// What the kernel does with owned tables, each row of which a kill switch relies on.
#include <cstdlib>

#include "core/hostnet/lock_tables.h"
#include "core/hostnet/nft_match.h"
#include "os/descriptor_guardian.h"
#include "os/nft_list.h"
#include "os/nft_monitor.h"
#include "os/nft_socket.h"
#include "temporary_directory.h"
#include "unit/core/hostnet/lock_samples.h"
#include "unit/os/private_network.h"

namespace ginnel::os {
namespace {

using hostnet::nft::Table;

Table table(bool owned) {
  return {
      .name = "lock",
      .owned = owned,
      .chains = {{.name = "out", .base = hostnet::nft::Base{.hook = hostnet::nft::Hook::Output}}}};
}

class OwnedTable : public PrivateNetwork {
 protected:
  static Status add(NftSocket& socket, bool owned) {
    NftBatch batch;
    if (Status added = batch.add_table(table(owned)); !added) return added;
    return socket.commit(std::move(batch));
  }
  static bool stands() { return run("nft list table inet lock").status == 0; }
  static bool stranger_may_change() { return run("nft add chain inet lock other").status == 0; }
};

TEST_F(OwnedTable, IsKnownToThisKernel) {
  auto socket = NftSocket::open();
  const auto knows = socket->knows_owned_tables();
  ASSERT_TRUE(knows) << knows.error().message;
  EXPECT_TRUE(*knows) << "these tests need Linux 6.9";
  EXPECT_EQ(shell("nft list ruleset"), "");
}

TEST_F(OwnedTable, ThatIsPlainIsFlushedByAnybody) {
  auto socket = NftSocket::open();
  ASSERT_TRUE(add(*socket, false));
  EXPECT_TRUE(stranger_may_change());
  shell("nft flush ruleset");
  EXPECT_FALSE(stands());
}

// What a leak test does to its twin is what nft does.
TEST_F(OwnedTable, StaysWhenEverythingElseIsDeleted) {
  auto socket = NftSocket::open();
  ASSERT_TRUE(add(*socket, true));
  shell("nft add table ip other");
  auto stranger = NftSocket::open();
  NftBatch batch;
  batch.delete_all_tables();
  const Status flushed = stranger->commit(std::move(batch));
  ASSERT_TRUE(flushed) << flushed.error().message;
  EXPECT_TRUE(stands());
  EXPECT_NE(run("nft list table ip other").status, 0);
}

TEST_F(OwnedTable, WithItsOwnerAliveIsNobodysElse) {
  auto socket = NftSocket::open();
  ASSERT_TRUE(add(*socket, true));
  EXPECT_FALSE(stranger_may_change());
  EXPECT_NE(run("nft delete table inet lock").status, 0);
  run("nft flush ruleset");
  EXPECT_TRUE(stands());
}

TEST_F(OwnedTable, OutlivesItsOwnerAndIsClaimedAgain) {
  {
    auto owner = NftSocket::open();
    ASSERT_TRUE(add(*owner, true));
  }
  EXPECT_TRUE(stands());
  auto heir = NftSocket::open();
  ASSERT_TRUE(add(*heir, true));
  EXPECT_FALSE(stranger_may_change());
  run("nft flush ruleset");
  EXPECT_TRUE(stands());
}

TEST_F(OwnedTable, NamesTheSocketThatOwnsIt) {
  auto other = NftSocket::open();
  const auto owner = [&] { return read_ruleset(*other)->tables.front().owner; };
  {
    auto socket = NftSocket::open();
    ASSERT_TRUE(add(*socket, true));
    const Fd copy = std::move(*socket->duplicate());
    EXPECT_EQ(owner(), NftSocket::port_of(copy));
    EXPECT_NE(owner(), 0u);
    EXPECT_NE(owner(), NftSocket::port_of(*other->duplicate()));
  }
  EXPECT_EQ(owner(), 0u);
  EXPECT_EQ(NftSocket::port_of({}), 0u);
}

TEST_F(OwnedTable, UnclaimedIsFlushedByAnybody) {
  {
    auto owner = NftSocket::open();
    ASSERT_TRUE(add(*owner, true));
  }
  EXPECT_TRUE(stranger_may_change());
  shell("nft flush ruleset");
  EXPECT_FALSE(stands());
}

TEST_F(OwnedTable, StaysGuardedByACopyOfTheDescriptor) {
  const TemporaryDirectory directory;
  const std::string path = directory / "guardian.sock";
  {
    auto owner = NftSocket::open();
    ASSERT_TRUE(add(*owner, true));
    ASSERT_TRUE(start_guardian(path, *owner->duplicate()));
  }
  EXPECT_FALSE(stranger_may_change());
  run("nft flush ruleset");
  EXPECT_TRUE(stands());
  // And whoever gets the copy may change it.
  auto next = NftSocket::adopt(std::move(**borrow_from_guardian(path)));
  NftBatch batch;
  batch.delete_table(hostnet::nft::Family::Inet, "lock");
  ASSERT_TRUE(batch.add_table(table(true)));
  EXPECT_TRUE(next->commit(std::move(batch)));
  EXPECT_TRUE(dismiss_guardian(path));
}

TEST_F(OwnedTable, IsNotMadeOfAPlainOneInPlace) {
  auto socket = NftSocket::open();
  ASSERT_TRUE(add(*socket, false));
  EXPECT_FALSE(add(*socket, true));
  NftBatch batch;
  batch.delete_table(hostnet::nft::Family::Inet, "lock");
  ASSERT_TRUE(batch.add_table(table(true)));
  const Status replaced = socket->commit(std::move(batch));
  ASSERT_TRUE(replaced) << replaced.error().message;
  EXPECT_FALSE(stranger_may_change());
}

// What a lock is compared with what is loaded by.
TEST_F(OwnedTable, IsRecognisedToTheByte) {
  shell("ip link add eth0 type veth peer name eth1");
  auto socket = NftSocket::open();
  for (hostnet::LockState state : hostnet::kLockStates) {
    for (const Table& lock : hostnet::lock_tables(hostnet::full_policy(state))) {
      SCOPED_TRACE(name_of(state));
      NftBatch batch;
      ASSERT_TRUE(batch.add_table(lock));
      ASSERT_TRUE(socket->commit(std::move(batch)));
      const auto listed = read_ruleset(*socket);
      ASSERT_EQ(listed->tables.size(), 1u);
      EXPECT_TRUE(is_loaded(listed->tables.front(), lock));

      Table other = lock;
      other.chains.back().rules.pop_back();
      EXPECT_FALSE(is_loaded(listed->tables.front(), other));
      other = lock;
      other.owned = false;
      EXPECT_FALSE(is_loaded(listed->tables.front(), other));
      other = lock;
      hostnet::nft::Policy& policy = other.chains.back().base->policy;
      const bool drops = policy == hostnet::nft::Policy::Drop;
      policy = drops ? hostnet::nft::Policy::Accept : hostnet::nft::Policy::Drop;
      EXPECT_FALSE(is_loaded(listed->tables.front(), other));
      NftBatch removal;
      removal.delete_table(lock.family, lock.name);
      ASSERT_TRUE(socket->commit(std::move(removal)));
    }
  }
}

TEST_F(OwnedTable, ThatSomebodyAddedToIsNotRecognised) {
  auto socket = NftSocket::open();
  ASSERT_TRUE(add(*socket, false));
  const auto is_as_made = [&] {
    return is_loaded(read_ruleset(*socket)->tables.front(), table(false));
  };
  EXPECT_TRUE(is_as_made());
  shell("nft add rule inet lock out accept");
  EXPECT_FALSE(is_as_made());
}

TEST_F(OwnedTable, ChangesAreHeardOf) {
  auto monitor = NftMonitor::open();
  ASSERT_TRUE(monitor);
  EXPECT_FALSE(monitor->take_change());
  auto socket = NftSocket::open();
  ASSERT_TRUE(add(*socket, false));
  EXPECT_TRUE(monitor->take_change());
  EXPECT_FALSE(monitor->take_change());
  shell("nft flush ruleset");
  EXPECT_TRUE(monitor->take_change());
}

}  // namespace
}  // namespace ginnel::os
