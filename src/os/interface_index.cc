#include "os/interface_index.h"

#include <net/if.h>

#include <array>
#include <string>

namespace ginnel::os {

std::optional<std::uint32_t> interface_index(std::string_view name) {
  if (name.size() >= IF_NAMESIZE) return std::nullopt;
  const unsigned index = ::if_nametoindex(std::string(name).c_str());
  if (index == 0) return std::nullopt;
  return index;
}

std::string interface_name(std::uint32_t index) {
  std::array<char, IF_NAMESIZE> name;
  if (::if_indextoname(index, name.data()) == nullptr) return std::to_string(index);
  return name.data();
}

}  // namespace ginnel::os
