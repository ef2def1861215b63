// The version, in its one place: CMake reads it here.
#pragma once

#include <string_view>

namespace ginnel {

inline constexpr std::string_view kProgramVersion = "0.1.0";

}  // namespace ginnel
