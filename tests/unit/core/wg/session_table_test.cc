#include "core/wg/session_table.h"

#include <gtest/gtest.h>

#include <set>

#include "core/wg/peer_path.h"
#include "support/seeded_rng.h"

namespace ginnel::wg {
namespace {

struct Fixture {
  test::SeededRng rng{5};
  EpochDomain epochs;
  PeerPath path{PeerSlot{3}};
  SessionTable table{epochs, rng};

  std::unique_ptr<Session> session(SessionIndex index) {
    const std::array<std::uint8_t, 32> key{};
    return std::make_unique<Session>(SessionSetup{.local_index = index,
                                                  .remote_index = SessionIndex{1},
                                                  .peer = PeerSlot{3},
                                                  .path = &path,
                                                  .is_initiator = true,
                                                  .created = {}},
                                     crypto::AeadKey(key), crypto::AeadKey(key));
  }
};

TEST(SessionTable, FindsASessionFromItsPublicationToItsRelease) {
  Fixture f;
  const SessionIndex index = f.table.reserve(PeerSlot{3}).value();
  EXPECT_EQ(f.table.find(index), nullptr);
  EXPECT_EQ(f.table.holder(index), PeerSlot{3});

  Session& session = f.table.publish(f.session(index));
  EXPECT_EQ(f.table.find(index), &session);

  f.table.release(index);
  EXPECT_EQ(f.table.find(index), nullptr);
  EXPECT_EQ(f.table.holder(index), kNoPeer);
  f.epochs.collect();
  EXPECT_EQ(f.epochs.waiting(), 0u);
}

TEST(SessionTable, AnOldIndexDoesNotFindTheSessionThatReusedItsRow) {
  Fixture f;
  std::set<SessionIndex> old;
  for (int i = 0; i < 2000; ++i) {
    const SessionIndex index = f.table.reserve(PeerSlot{3}).value();
    f.table.publish(f.session(index));
    for (const SessionIndex stale : old) {
      if (stale != index) {
        ASSERT_EQ(f.table.find(stale), nullptr);
      }
    }
    f.table.release(index);
    if (old.size() < 50) old.insert(index);
  }
}

TEST(SessionTable, GivesEachPeerOneLaneAndItsNeighboursOthers) {
  Fixture f;
  std::set<SessionIndex> taken;
  for (std::uint32_t round = 0; round < 3; ++round) {
    for (std::uint32_t peer = 0; peer < 2 * SessionTable::kLanes; ++peer) {
      const SessionIndex index = f.table.reserve(PeerSlot{peer}).value();
      EXPECT_EQ(SessionTable::lane_of(index), peer % SessionTable::kLanes);
      EXPECT_EQ(f.table.holder(index), PeerSlot{peer});
      EXPECT_TRUE(taken.insert(index).second);
    }
  }
}

TEST(SessionTable, AnyIndexFromTheNetworkIsHarmless) {
  Fixture f;
  const SessionIndex index = f.table.reserve(PeerSlot{3}).value();
  f.table.publish(f.session(index));
  test::SeededRng network(9);
  for (int i = 0; i < 100'000; ++i) {
    const SessionIndex guess{network.number<std::uint32_t>()};
    const Session* found = f.table.find(guess);
    if (guess != index) {
      ASSERT_EQ(found, nullptr);
    }
  }
}

TEST(Session, StopsAtTheMessageLimit) {
  Fixture f;
  const std::unique_ptr<Session> session = f.session(SessionIndex{1});
  session->skip_counters_to(kRejectAfterMessages - 3);
  EXPECT_EQ(session->reserve_counters(3), kRejectAfterMessages - 3);
  EXPECT_FALSE(session->reserve_counters(1));
}

TEST(Session, AsksForNewKeysOnceWhenOldOrMuchUsed) {
  struct Row {
    Duration age;
    std::uint64_t sent;
    bool on_send;
    bool on_receive;
  };
  const Row rows[] = {
      {kRekeyAfterTime - 1ns, 0, false, false},
      {kRekeyAfterTime, 0, true, false},
      {0s, kRekeyAfterMessages - 1, false, false},
      {0s, kRekeyAfterMessages, true, false},
      {165s - 1ns, 0, true, false},
      {165s, 0, true, true},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(testing::Message() << row.age.count() << " ns, " << row.sent << " sent");
    Fixture f;
    const std::unique_ptr<Session> session = f.session(SessionIndex{1});
    session->skip_counters_to(row.sent);
    EXPECT_EQ(session->take_rekey_on_send(MonoTime{} + row.age), row.on_send);
    EXPECT_EQ(session->take_rekey_on_receive(MonoTime{} + row.age), row.on_receive);
    EXPECT_FALSE(session->take_rekey_on_send(MonoTime{} + row.age));
    EXPECT_FALSE(session->take_rekey_on_receive(MonoTime{} + row.age));
  }
}

}  // namespace
}  // namespace ginnel::wg
