// The mark that every kernel object of ours carries, so that clean-up can find it: a table's name
// and comment, a comment on a rule in somebody else's table, a claim in the ledger.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace ginnel::hostnet {

// What does not fit an nftables name (nft(8) would not read it back) is written as _XX, so that no
// two texts become one name.
std::string nft_name(std::string_view text);

struct Owner {
  std::string role{};       // "server", "gateway", "up": letters only.
  std::string interface{};  // The tunnel it drives.

  // "ginnel:server:wg0".
  std::string mark() const;
  // "ginnel-server-wg0", as nft_name() writes it.
  std::string table_name() const;
  // The inverse of mark(); nothing for a text that is no mark of ours.
  static std::optional<Owner> from_mark(std::string_view mark);

  friend auto operator<=>(const Owner&, const Owner&) = default;
};

}  // namespace ginnel::hostnet
