// Times as people and other programs read them: RFC 3339, in UTC.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace ginnel::http {

// "2026-11-21T09:41:33Z". Whole seconds, rounded down: many readers (jq's fromdate among them)
// refuse a fraction.
std::string to_rfc3339(UnixTime time);

// Any offset and any fraction; what a nanosecond cannot hold is cut off. Refuses what UnixTime
// cannot hold, and leap seconds.
Result<UnixTime> parse_rfc3339(std::string_view text);

}  // namespace ginnel::http
