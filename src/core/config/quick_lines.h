// The lines of a wg-quick file as its two readers take them apart: wg-quick its own keys of
// [Interface], `wg` all others. The reader (quick_file.h) and the editor (quick_edit.h) rest on
// this.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ginnel::config {

inline constexpr std::size_t kMaxQuickInterfaceName = 15;  // IFNAMSIZ, less the terminating zero.

struct QuickLine {
  enum class Kind : std::uint8_t {
    Blank,    // Or only a comment.
    Section,  // As `wg` sees it. wg-quick's view differs for odd spellings, which `wg` refuses.
    Own,      // A key of wg-quick.
    Wg,       // A key of `wg`, or what it refuses.
  };
  Kind kind = Kind::Blank;
  std::size_t number = 0;  // From 1.
  std::string key{};       // In lower case: "preup", "[peer]".
  // Empty of sections. Without a comment, unless it is a hook. wg-quick takes a line of its own
  // without '=' for key and value both.
  std::string value{};
  std::string_view text{};
  bool has_value = false;  // There was a '='.
};

// The views in it are of `text`.
std::vector<QuickLine> quick_lines(std::string_view text);

// Whether `text` names an interface, and so /etc/wireguard/TEXT.conf, rather than a path.
bool is_quick_interface(std::string_view text);
// The interface that a file is for: its name without ".conf". Fails when that is no name for one.
Result<std::string> quick_interface(std::string_view path);

// A hook as it is to be run: "%i" stands for the interface.
std::string expand_hook(std::string_view hook, std::string_view interface);

}  // namespace ginnel::config
