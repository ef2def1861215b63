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
    window.next(at(0s), 7s);
    EXPECT_EQ(window.next(at(LoadWindow::kLength), 7s + used), load);
  }
}

TEST(LoadWindow, EndsAfterItsLengthAndNotBefore) {
  LoadWindow window;
  EXPECT_TRUE(window.ended(at(0s)));
  window.next(at(0s), 0s);
  EXPECT_FALSE(window.ended(at(LoadWindow::kLength - 1ns)));
  EXPECT_TRUE(window.ended(at(LoadWindow::kLength)));
}

TEST(LoadWindow, ForgetsWhatWasBeforeTheLastWindow) {
  LoadWindow window;
  window.next(at(0s), 0s);
  EXPECT_EQ(window.next(at(1s), 1s), Load::Heavy);
  EXPECT_EQ(window.next(at(2s), 1s + 1ms), Load::Light);
}

TEST(LoadWindow, CallsAThreadLightThatHasJustBegun) {
  LoadWindow window;
  EXPECT_EQ(window.next(at(0s), 5ms), Load::Light);
}

}  // namespace
}  // namespace ginnel::tunnel
