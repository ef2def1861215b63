#include "core/hostnet/owner.h"

#include <fmt/core.h>

namespace ginnel::hostnet {
namespace {

constexpr std::string_view kPrefix = "ginnel:";
constexpr std::size_t kMaxInterfaceName = 15;  // IFNAMSIZ, less the terminating zero.

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool fits_table_name(char c) {
  return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

}  // namespace

std::string nft_name(std::string_view text) {
  std::string name;
  for (char c : text) {
    if (fits_table_name(c)) {
      name += c;
    } else {
      name += fmt::format("_{:02X}", static_cast<unsigned char>(c));
    }
  }
  return name;
}

std::string Owner::mark() const { return fmt::format("{}{}:{}", kPrefix, role, interface); }

std::string Owner::table_name() const {
  return fmt::format("ginnel-{}-{}", role, nft_name(interface));
}

std::optional<Owner> Owner::from_mark(std::string_view mark) {
  if (!mark.starts_with(kPrefix)) return std::nullopt;
  mark.remove_prefix(kPrefix.size());
  const std::size_t colon = mark.find(':');
  if (colon == 0 || colon == std::string_view::npos) return std::nullopt;
  const std::string_view role = mark.substr(0, colon);
  const std::string_view interface = mark.substr(colon + 1);
  for (char c : role) {
    if (!is_letter(c)) return std::nullopt;
  }
  if (interface.empty() || interface.size() > kMaxInterfaceName) return std::nullopt;
  return Owner{std::string(role), std::string(interface)};
}

}  // namespace ginnel::hostnet
