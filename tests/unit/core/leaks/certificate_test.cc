#include "core/leaks/certificate.h"

#include <gtest/gtest.h>

namespace ginnel::leaks {
namespace {

Catalogue two_attacks() {
  return {
      .attacks = {{.name = "one", .leak_class = LeakClass::RawFrame, .way = Way::Frame},
                  {.name = "two", .leak_class = LeakClass::LiveFlow, .way = Way::LiveDatagram}}};
}
std::vector<Phase> three_phases() {
  return {{.name = "off"},
          {.name = "locked", .state = hostnet::LockState::Locked},
          {.name = "tunnel-down",
           .state = hostnet::LockState::Connected,
           .event = Event::TunnelDown,
           .leak_class = LeakClass::TunnelGone}};
}
Cell cell_of(const std::vector<Cell>& cells, std::string_view attack, std::string_view phase) {
  return *std::ranges::find_if(
      cells, [&](const Cell& cell) { return cell.attack == attack && cell.phase == phase; });
}

class TallyTest : public testing::Test {
 protected:
  void try_everything() {
    for (std::size_t phase = 0; phase < 3; ++phase) {
      for (std::size_t attack = 0; attack < 2; ++attack) tally_.note_try(phase, attack, true);
    }
  }
  void see(std::uint16_t phase, std::uint16_t attack) {
    tally_.note_seen({.attack = attack, .phase = phase});
  }

  const Catalogue catalogue_ = two_attacks();
  Tally tally_{catalogue_, three_phases()};
};

TEST_F(TallyTest, PassesWhatWasSeenWithTheLockOffAndNeverAgain) {
  try_everything();
  see(0, 0);
  see(0, 1);
  EXPECT_TRUE(tally_.unseen_in_control().empty());
  for (const Cell& cell : tally_.cells()) EXPECT_EQ(cell.verdict, Verdict::Passed) << cell.attack;
}

TEST_F(TallyTest, ProvesNothingWithoutItsControl) {
  try_everything();
  see(0, 0);
  EXPECT_EQ(tally_.unseen_in_control(), std::vector<std::size_t>{1});
  EXPECT_EQ(cell_of(tally_.cells(), "two", "locked").verdict, Verdict::Invalid);
}

TEST_F(TallyTest, SaysWhatEscapedEvenWithoutItsControl) {
  try_everything();
  see(1, 0);
  const Cell cell = cell_of(tally_.cells(), "one", "locked");
  EXPECT_EQ(cell.verdict, Verdict::Escaped);
  EXPECT_EQ(cell.escaped, 1u);
}

TEST_F(TallyTest, SkipsWhatWasNotTried) {
  see(0, 0);
  tally_.skip(2, "no tunnel");
  EXPECT_EQ(cell_of(tally_.cells(), "one", "locked").verdict, Verdict::Skipped);
  EXPECT_EQ(cell_of(tally_.cells(), "one", "tunnel-down").reason, "no tunnel");
}

TEST_F(TallyTest, KeepsTheClassOfLiveFlowsWhenTheTunnelGoes) {
  const auto cells = tally_.cells();
  EXPECT_EQ(cell_of(cells, "one", "tunnel-down").leak_class, LeakClass::TunnelGone);
  EXPECT_EQ(cell_of(cells, "two", "tunnel-down").leak_class, LeakClass::LiveFlow);
  EXPECT_EQ(cell_of(cells, "one", "locked").leak_class, LeakClass::RawFrame);
}

TEST_F(TallyTest, IgnoresTagsThatAreNobodys) {
  see(3, 0);
  see(0, 2);
  see(UINT16_MAX, UINT16_MAX);
  for (const Cell& cell : tally_.cells()) EXPECT_EQ(cell.escaped, 0u);
}

TEST(Certificate, IsAsGoodAsTheWorstOfIt) {
  const Cell passed{.verdict = Verdict::Passed};
  Certificate certificate{.cells = {passed, {.verdict = Verdict::Skipped}}};
  EXPECT_EQ(certificate.verdict(), Verdict::Passed);
  certificate.cells.push_back({.verdict = Verdict::Invalid});
  EXPECT_EQ(certificate.verdict(), Verdict::Invalid);
  certificate.checks.push_back({.verdict = Verdict::Escaped});
  EXPECT_EQ(certificate.verdict(), Verdict::Escaped);
}

TEST(Certificate, IsNoneWithoutACellThatPassed) {
  EXPECT_EQ(Certificate{}.verdict(), Verdict::Invalid);
  const Certificate certificate{.checks = {{.verdict = Verdict::Passed}},
                                .cells = {{.verdict = Verdict::Skipped}}};
  EXPECT_EQ(certificate.verdict(), Verdict::Invalid);
}

TEST(Certificate, CountsFramesThatNobodyExpectedOrLookedAt) {
  Certificate certificate{.cells = {{.verdict = Verdict::Passed}}};
  certificate.lost_frames = 1;
  EXPECT_EQ(certificate.verdict(), Verdict::Invalid);
  certificate.stray_frames = 2;
  EXPECT_EQ(certificate.verdict(), Verdict::Escaped);
  EXPECT_EQ(certificate.escaped(), 2u);
}

TEST(Certificate, SumsUpEveryClass) {
  const Certificate certificate{
      .cells = {{.leak_class = LeakClass::RawFrame, .tried = 2, .verdict = Verdict::Passed},
                {.leak_class = LeakClass::RawFrame,
                 .tried = 3,
                 .escaped = 1,
                 .verdict = Verdict::Escaped}}};
  const auto summary = certificate.summary();
  ASSERT_EQ(summary.size(), leak_classes().size());
  EXPECT_EQ(summary[18].leak_class, LeakClass::RawFrame);
  EXPECT_EQ(summary[18].tried, 5u);
  EXPECT_EQ(summary[18].verdict, Verdict::Escaped);
  EXPECT_EQ(summary[0].verdict, Verdict::Skipped);
}

}  // namespace
}  // namespace ginnel::leaks
