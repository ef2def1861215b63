// What the server's database holds, as the steps that made it so. A step that has been released is
// never edited: a change is one more step.
#pragma once

#include <span>
#include <string_view>

namespace ginnel::storage {

std::span<const std::string_view> server_schema();

}  // namespace ginnel::storage
