#include "service/tunnel/load_window.h"

#include <gtest/gtest.h>

namespace ginnel::tunnel {
namespace {

using Load = LoadWindow::Load;

constexpr MonoTime at(Duration since_start) { return MonoTime{} + 1h + since_start; }

TEST(LoadWindow, IsHeavyAboveItsShare) {
  constexpr Duration kShare = LoadWindow::kLength / LoadWindow::kParts;
  for (const auto& [used, load] :
       {std::pair(kShare - 1ns, Load::Light), {kShare, Load::Light}, {kShare + 1ns, Load::Heavy}}) {
    SCOPED_TRACE(used.count());
    LoadWindow window;
    window.next(at(0s), 7s, 0s);
    EXPECT_EQ(window.next(at(LoadWindow::kLength), 7s + used, 0s), load);
  }
}

TEST(LoadWindow, EndsAfterItsLengthAndNotBefore) {
  LoadWindow window;
  EXPECT_TRUE(window.ended(at(0s)));
  window.next(at(0s), 0s, 0s);
  EXPECT_FALSE(window.ended(at(LoadWindow::kLength - 1ns)));
  EXPECT_TRUE(window.ended(at(LoadWindow::kLength)));
}

TEST(LoadWindow, ForgetsWhatWasBeforeTheLastWindow) {
  LoadWindow window;
  window.next(at(0s), 0s, 0s);
  EXPECT_EQ(window.next(at(1s), 1s, 0s), Load::Heavy);
  EXPECT_EQ(window.next(at(2s), 1s + 1ms, 0s), Load::Light);
}

TEST(LoadWindow, CallsAThreadLightThatHasJustBegun) {
  LoadWindow window;
  EXPECT_EQ(window.next(at(0s), 5ms, 0s), Load::Light);
}

TEST(LoadWindow, IsDelayedForAWhileAfterItHadToWait) {
  constexpr Duration kDelay = LoadWindow::kDelay;
  for (const auto& [waited, load] : {std::pair(kDelay - 1ns, Load::Light),
                                     {kDelay, Load::Light},
                                     {kDelay + 1ns, Load::Delayed}}) {
    SCOPED_TRACE(waited.count());
    LoadWindow window;
    window.next(at(0s), 0s, 0s);
    EXPECT_EQ(window.next(at(20ms), 0s, waited), load);
    const MonoTime end = at(20ms) + LoadWindow::kDelayedFor;
    EXPECT_EQ(window.next(end - 1ns, 0s, waited), load);
    EXPECT_EQ(window.next(end, 0s, waited), Load::Light);
  }
}

TEST(LoadWindow, IsNotDelayedByWhatItDoesItself) {
  LoadWindow window;
  window.next(at(0s), 0s, 0s);
  EXPECT_EQ(window.next(at(10ms), 5ms, 5ms), Load::Heavy);
  EXPECT_EQ(window.next(at(20ms), 5ms, 5ms), Load::Delayed);
  EXPECT_EQ(window.next(at(30ms), 15ms, 5ms), Load::Heavy);
}

}  // namespace
}  // namespace ginnel::tunnel
