#include "http/rfc3339.h"

#include <fmt/format.h>

#include "base/text.h"

namespace ginnel::http {
namespace {

namespace chrono = std::chrono;

// What UnixTime holds, with room for the fraction and the offset.
constexpr int kFirstYear = 1678;
constexpr int kLastYear = 2261;

std::unexpected<Error> bad() {
  return fail(ErrorCode::InvalidArgument, "expected a time like \"2026-11-21T09:41:33Z\"");
}

// Takes `width` digits off the front of `text`.
std::optional<int> take_number(std::string_view& text, std::size_t width, int low, int high) {
  if (text.size() < width || text.front() == '-') return std::nullopt;
  const auto number = parse_number<int>(text.substr(0, width), low, high);
  text.remove_prefix(width);
  return number;
}

bool take(std::string_view& text, char wanted) {
  if (text.empty() || (text.front() | 0x20) != (wanted | 0x20)) return false;
  text.remove_prefix(1);
  return true;
}

// The digits after the point, as nanoseconds.
std::optional<Duration> take_fraction(std::string_view& text) {
  std::int64_t nanoseconds = 0;
  std::size_t digits = 0;
  for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9'; ++digits) {
    if (digits < 9) nanoseconds = nanoseconds * 10 + (text[digits] - '0');
  }
  if (digits == 0) return std::nullopt;
  for (std::size_t i = digits; i < 9; ++i) nanoseconds *= 10;
  text.remove_prefix(digits);
  return Duration(nanoseconds);
}

std::optional<chrono::minutes> take_offset(std::string_view& text) {
  if (take(text, 'Z')) return chrono::minutes(0);
  if (text.empty() || (text.front() != '+' && text.front() != '-')) return std::nullopt;
  const int sign = text.front() == '-' ? -1 : 1;
  text.remove_prefix(1);
  const auto hours = take_number(text, 2, 0, 23);
  if (!hours || !take(text, ':')) return std::nullopt;
  const auto minutes = take_number(text, 2, 0, 59);
  if (!minutes) return std::nullopt;
  return sign * chrono::minutes(*hours * 60 + *minutes);
}

}  // namespace

std::string to_rfc3339(UnixTime time) {
  const auto day = chrono::floor<chrono::days>(time.time_since_epoch());
  const chrono::year_month_day date{chrono::sys_days(day)};
  const chrono::hh_mm_ss clock(chrono::floor<chrono::seconds>(time.time_since_epoch() - day));
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", int(date.year()),
                     unsigned(date.month()), unsigned(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count());
}

Result<UnixTime> parse_rfc3339(std::string_view text) {
  const auto year = take_number(text, 4, kFirstYear, kLastYear);
  if (!year || !take(text, '-')) return bad();
  const auto month = take_number(text, 2, 1, 12);
  if (!month || !take(text, '-')) return bad();
  const auto day = take_number(text, 2, 1, 31);
  if (!day || !take(text, 'T')) return bad();
  const auto hours = take_number(text, 2, 0, 23);
  if (!hours || !take(text, ':')) return bad();
  const auto minutes = take_number(text, 2, 0, 59);
  if (!minutes || !take(text, ':')) return bad();
  const auto seconds = take_number(text, 2, 0, 59);
  if (!seconds) return bad();
  std::optional<Duration> fraction = Duration(0);
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    fraction = take_fraction(text);
  }
  if (!fraction) return bad();
  const auto offset = take_offset(text);
  if (!offset || !text.empty()) return bad();
  const chrono::year_month_day date{chrono::year(*year), chrono::month(unsigned(*month)),
                                    chrono::day(unsigned(*day))};
  if (!date.ok()) return bad();
  return UnixTime(chrono::sys_days(date).time_since_epoch() + chrono::hours(*hours) +
                  chrono::minutes(*minutes) + chrono::seconds(*seconds) + *fraction - *offset);
}

}  // namespace ginnel::http
