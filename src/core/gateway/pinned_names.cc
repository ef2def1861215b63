#include "core/gateway/pinned_names.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace ginnel::gateway {
namespace {

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= PinnedNames::kMaxNameLength &&
         std::ranges::all_of(name, [](char c) { return c > ' ' && c <= '~'; });
}

std::unexpected<Error> wrong(std::size_t line, std::string_view what) {
  return fail(ErrorCode::InvalidArgument, fmt::format("line {}: {}", line, what));
}

}  // namespace

bool PinnedNames::pin(const std::string& name, std::vector<net::Address> addresses) {
  if (addresses.empty() || !is_name(name)) return false;
  if (addresses.size() > kMaxAddresses) addresses.resize(kMaxAddresses);
  const auto known = names_.find(name);
  if (known == names_.end() && names_.size() >= kMaxNames) return false;
  if (known != names_.end() && known->second == addresses) return false;
  names_[name] = std::move(addresses);
  return true;
}

std::vector<net::Address> PinnedNames::find(const std::string& name) const {
  const auto known = names_.find(name);
  return known == names_.end() ? std::vector<net::Address>() : known->second;
}

std::string PinnedNames::to_text() const {
  std::string text;
  for (const auto& [name, addresses] : names_) {
    text += name;
    for (const net::Address& address : addresses) text += " " + address.to_string();
    text += '\n';
  }
  return text;
}

Result<PinnedNames> PinnedNames::parse(std::string_view text) {
  if (text.size() > kMaxTextSize) return wrong(1, "the file is too large");
  PinnedNames pinned;
  std::size_t number = 0;
  for (std::string_view line : split(text, '\n')) {
    ++number;
    if (line.empty()) continue;
    const auto words = split(line, ' ');
    if (!is_name(words.front())) return wrong(number, "there is no name");
    if (words.size() < 2 || words.size() > kMaxAddresses + 1) {
      return wrong(number, "a name has 1 to 16 addresses");
    }
    std::vector<net::Address> addresses;
    for (std::size_t i = 1; i < words.size(); ++i) {
      const auto address = net::Address::parse(words[i]);
      if (!address) return wrong(number, address.error().message);
      addresses.push_back(*address);
    }
    if (pinned.names_.size() >= kMaxNames) return wrong(number, "there are too many names");
    if (!pinned.names_.emplace(words.front(), std::move(addresses)).second) {
      return wrong(number, "the name is there twice");
    }
  }
  return pinned;
}

}  // namespace ginnel::gateway
