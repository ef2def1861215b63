#include "cli/spelling.h"

#include <algorithm>
#include <vector>

namespace ginnel::cli {
namespace {

constexpr std::size_t kMaxWordBytes = 64;

// Letters to insert, remove, replace or swap with their neighbour until `a` is `b`.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> table(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) {
    for (std::size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        table[i][j] = i + j;
        continue;
      }
      const std::size_t replaced = table[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
      std::size_t best = std::min({table[i - 1][j] + 1, table[i][j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        best = std::min(best, table[i - 2][j - 2] + 1);
      }
      table[i][j] = best;
    }
  }
  return table[a.size()][b.size()];
}

}  // namespace

std::string_view nearest(std::string_view typed, std::span<const std::string_view> candidates) {
  if (typed.size() > kMaxWordBytes) return {};
  std::string_view best;
  std::size_t best_distance = 3;
  for (const std::string_view candidate : candidates) {
    const std::size_t d = distance(typed, candidate);
    // More than every second letter wrong is another word, not a typing error.
    if (d < best_distance && 2 * d <= std::max<std::size_t>(candidate.size(), 2)) {
      best = candidate;
      best_distance = d;
    }
  }
  return best;
}

}  // namespace ginnel::cli
