#include "cli/human.h"

#include <fmt/format.h>

namespace ginnel::cli {
namespace {

constexpr const char* kUnits[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};

std::string scaled(double value) {
  std::size_t unit = 0;
  // 999.95 would print as 1000.0.
  while (value >= (unit == 0 ? 1000 : 999.95) && unit + 1 < std::size(kUnits)) {
    value /= 1000;
    ++unit;
  }
  return unit == 0 ? fmt::format("{:.0f} B", value) : fmt::format("{:.1f} {}", value, kUnits[unit]);
}

}  // namespace

std::string human_bytes(std::uint64_t bytes) { return scaled(static_cast<double>(bytes)); }

std::string human_rate(double bytes_per_second) { return scaled(bytes_per_second) + "/s"; }

std::string human_duration(Duration duration) {
  const auto seconds = std::max<std::int64_t>(0, duration / 1s);
  const auto minutes = seconds / 60, hours = minutes / 60, days = hours / 24;
  if (minutes == 0) return fmt::format("{} s", seconds);
  if (hours == 0) return fmt::format("{} min", minutes);
  if (days == 0) return fmt::format("{} h {} min", hours, minutes % 60);
  return fmt::format("{} d {} h", days, hours % 24);
}

std::string human_age(UnixTime then, UnixTime now) {
  return then > now ? "now" : human_duration(now - then) + " ago";
}

}  // namespace ginnel::cli
