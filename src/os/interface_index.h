#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ginnel::os {

// The index of an interface in this network namespace, as the zone of a link-local address names
// it. Absent when there is none of that name.
std::optional<std::uint32_t> interface_index(std::string_view name);

// The other way round: the number itself, in digits, when there is no such interface.
std::string interface_name(std::uint32_t index);

}  // namespace ginnel::os
