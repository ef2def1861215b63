// Numbers as people read them.
#pragma once

#include <cstdint>
#include <string>

#include "base/time.h"

namespace ginnel::cli {

std::string human_bytes(std::uint64_t bytes);     // "999 B", "1.2 MB"
std::string human_rate(double bytes_per_second);  // "1.2 MB/s"
std::string human_duration(Duration duration);    // "59 s", "3 min", "2 h 5 min", "4 d 1 h"
// "3 min ago"; a time in the future (somebody set the clock) is "now".
std::string human_age(UnixTime then, UnixTime now);

}  // namespace ginnel::cli
