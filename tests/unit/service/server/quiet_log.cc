// Servers log. Tests want to see errors only, and a process can start its log once.
#include <gtest/gtest.h>

#include "base/log.h"

namespace ginnel::server {
namespace {

struct QuietLog final : testing::Environment {
  void SetUp() override { log::start(log::Level::Error); }
};
[[maybe_unused]] const testing::Environment* const kQuietLog =
    testing::AddGlobalTestEnvironment(new QuietLog);

}  // namespace
}  // namespace ginnel::server
