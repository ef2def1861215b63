// Whether a person looks at the output, and how wide it may be.
#pragma once

#include <optional>

namespace ginnel::os {

enum class Stream { Input, Output, Error };

bool is_terminal(Stream stream);

struct TerminalSize {
  unsigned columns = 0;
  unsigned rows = 0;
};
// Absent when it is no terminal or does not know its size.
std::optional<TerminalSize> terminal_size(Stream stream);

}  // namespace ginnel::os
