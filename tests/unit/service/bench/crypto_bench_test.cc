#include "service/bench/crypto_bench.h"

#include <gtest/gtest.h>

#include <set>

namespace ginnel::bench {
namespace {

TEST(CryptoBench, MeasuresEachLibraryAtEachSizeOnce) {
  const auto costs = measure_aead(std::chrono::milliseconds(1));
  std::set<std::pair<std::string, std::size_t>> seen;
  std::set<std::string> libraries;
  for (const AeadCost& cost : costs) {
    SCOPED_TRACE(testing::Message() << cost.library << " " << cost.bytes);
    EXPECT_TRUE(seen.emplace(cost.library, cost.bytes).second);
    EXPECT_GT(cost.seal_ns, 0);
    EXPECT_GT(cost.open_ns, 0);
    libraries.insert(cost.library);
  }
  EXPECT_EQ(costs.size(), libraries.size() * std::size(kAeadSizes));
  EXPECT_TRUE(libraries.contains("OpenSSL"));
}

TEST(CryptoBench, MeasuresACurveMultiplication) {
  EXPECT_GT(measure_x25519_us(std::chrono::milliseconds(1)), 0);
}

}  // namespace
}  // namespace ginnel::bench
