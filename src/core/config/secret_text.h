// Text that holds keys: how it is erased when it is done with.
#pragma once

#include <string>

#include "base/secret.h"

namespace ginnel::config {

// Overwrites the text and empties it. A short text lives in the string object itself, which this
// covers too.
inline void erase_text(std::string& text) {
  erase({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
  text.clear();
}

}  // namespace ginnel::config
