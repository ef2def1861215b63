#include "os/interface_index.h"

#include <net/if.h>

#include <string>

namespace ginnel::os {

std::optional<std::uint32_t> interface_index(std::string_view name) {
  if (name.size() >= IF_NAMESIZE) return std::nullopt;
  const unsigned index = ::if_nametoindex(std::string(name).c_str());
  if (index == 0) return std::nullopt;
  return index;
}

}  // namespace ginnel::os
