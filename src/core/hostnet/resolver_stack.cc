#include "core/hostnet/resolver_stack.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace ginnel::hostnet {
namespace {

// Lines: "original HEX", or "original" when there was no file; then "entry MARK HEX" from the
// first to the last who came.
constexpr char kSeparator = ' ';

std::string hex_of(std::string_view text) {
  return to_hex({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

std::optional<std::string> text_of(std::string_view hex) {
  std::string text(hex.size() / 2, '\0');
  const bool good = hex.size() % 2 == 0 &&
                    from_hex(hex, {reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
  return good ? std::optional(std::move(text)) : std::nullopt;
}

}  // namespace

std::string resolv_conf_text(const Owner& owner, const WantedResolver& wanted) {
  std::string text =
      fmt::format("# {}: made by ginnel, which puts back what stood here.\n", owner.mark());
  for (const std::string& server : wanted.servers) text += fmt::format("nameserver {}\n", server);
  if (!wanted.search.empty()) text += fmt::format("search {}\n", fmt::join(wanted.search, " "));
  return text;
}

Result<ResolverStack::Change> ResolverStack::push(const Owner& owner, const WantedResolver& wanted,
                                                  const std::optional<std::string>& current) {
  std::string text = resolv_conf_text(owner, wanted);
  const auto known = std::ranges::find(entries_, owner, &Entry::owner);
  if (known != entries_.end()) {
    const bool is_heard = known + 1 == entries_.end() && current == known->text;
    known->text = text;
    return is_heard ? Change{Change::Kind::Write, std::move(text)} : Change{};
  }
  if (entries_.size() >= kMaxOwners) {
    return fail(ErrorCode::Exhausted,
                fmt::format("resolv.conf: over {} tunnels want DNS servers", kMaxOwners));
  }
  // Somebody else wrote the file while ours stood in it: that is what is to come back.
  if (entries_.empty() || current != entries_.back().text) original_ = current;
  entries_.push_back({.owner = owner, .text = text});
  return Change{Change::Kind::Write, std::move(text)};
}

ResolverStack::Change ResolverStack::pop(const Owner& owner,
                                         const std::optional<std::string>& current) {
  const auto found = std::ranges::find(entries_, owner, &Entry::owner);
  if (found == entries_.end()) return {};
  const bool is_heard = current == found->text;
  entries_.erase(found);
  if (!is_heard) return {};
  if (!entries_.empty()) return {Change::Kind::Write, entries_.back().text};
  if (original_) return {Change::Kind::Write, *original_};
  return {Change::Kind::Remove, ""};
}

std::vector<Owner> ResolverStack::owners() const {
  std::vector<Owner> all;
  for (const Entry& entry : entries_) all.push_back(entry.owner);
  return all;
}

std::string ResolverStack::to_text() const {
  std::string text = original_ ? fmt::format("original {}\n", hex_of(*original_)) : "original\n";
  for (const Entry& entry : entries_) {
    text += fmt::format("entry {} {}\n", entry.owner.mark(), hex_of(entry.text));
  }
  return text;
}

Result<ResolverStack> ResolverStack::parse(std::string_view text) {
  ResolverStack stack;
  std::size_t number = 0;
  const auto corrupt = [&] {
    return fail(ErrorCode::InvalidArgument, fmt::format("line {}: cannot be read", number));
  };
  if (text.size() > 4 * kMaxTextSize) return corrupt();
  for (std::string_view line : split(text, '\n')) {
    ++number;
    if (line.empty()) continue;
    const auto fields = split(line, kSeparator);
    if (fields[0] == "original" && fields.size() <= 2 && number == 1) {
      if (fields.size() == 1) continue;
      stack.original_ = text_of(fields[1]);
      if (!stack.original_) return corrupt();
    } else if (fields[0] == "entry" && fields.size() == 3 && number > 1) {
      const auto owner = Owner::from_mark(fields[1]);
      auto entry = text_of(fields[2]);
      if (!owner || !entry || stack.entries_.size() >= kMaxOwners) return corrupt();
      stack.entries_.push_back({.owner = *owner, .text = std::move(*entry)});
    } else {
      return corrupt();
    }
  }
  return stack;
}

}  // namespace ginnel::hostnet
