// Finds what somebody meant to type.
#pragma once

#include <span>
#include <string_view>

namespace ginnel::cli {

// The candidate that `typed` is a typing error of, or empty when none is near enough.
std::string_view nearest(std::string_view typed, std::span<const std::string_view> candidates);

}  // namespace ginnel::cli
