#include "core/leaks/phase.h"

#include <gtest/gtest.h>

#include "unit/core/leaks/leak_samples.h"

namespace ginnel::leaks {
namespace {

bool has(const std::vector<Phase>& phases, Event event) {
  return std::ranges::find(phases, event, &Phase::event) != phases.end();
}

TEST(Phases, BeginWithTheControl) {
  const std::vector<Phase> phases = make_phases(sample_policy());
  EXPECT_EQ(phases.front().state, hostnet::LockState::Off);
  EXPECT_EQ(std::ranges::count(phases, hostnet::LockState::Off, &Phase::state), 1);
}

TEST(Phases, TakeAwayWhatThereIs) {
  hostnet::LockPolicy policy = sample_policy();
  EXPECT_TRUE(has(make_phases(policy), Event::TunnelDeleted));
  EXPECT_FALSE(has(make_phases(policy), Event::FailedOver));
  policy.tunnels = {"wg0", "wg1"};
  EXPECT_TRUE(has(make_phases(policy), Event::FailedOver));
  policy.endpoints.clear();
  EXPECT_FALSE(has(make_phases(policy), Event::FailedOver));
  policy.tunnels.clear();
  EXPECT_FALSE(has(make_phases(policy), Event::TunnelDeleted));
}

}  // namespace
}  // namespace ginnel::leaks
