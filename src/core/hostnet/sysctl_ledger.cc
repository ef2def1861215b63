#include "core/hostnet/sysctl_ledger.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace ginnel::hostnet {
namespace {

// Lines of fields between tabs, which no path and no value has:
//   boot ID | sysctl PATH ORIGINAL VALUE | effect PATH VALUE | owner MARK
// Effects and owners belong to the sysctl line above them.
constexpr char kSeparator = '\t';

bool is_field(std::string_view text) {
  return text.find_first_of("\t\n") == std::string_view::npos;
}

// Relative, and no step up: these paths are written to as root.
bool is_path(std::string_view path) {
  if (path.empty() || path.front() == '/' || !is_field(path)) return false;
  for (std::string_view part : split(path, '/')) {
    if (part.empty() || part == "." || part == "..") return false;
  }
  return true;
}

Status corrupt(std::size_t line) {
  return fail(ErrorCode::InvalidArgument, fmt::format("ledger line {}: cannot be read", line));
}

bool append_effect(std::vector<LedgerEntry>& entries, const std::vector<std::string_view>& fields) {
  if (entries.empty() || fields.size() != 3 || !is_path(fields[1])) return false;
  if (entries.back().side_effects.size() >= SysctlLedger::kMaxSideEffects) return false;
  entries.back().side_effects.push_back(
      {.path = std::string(fields[1]), .value = std::string(fields[2])});
  return true;
}

bool append_owner(std::vector<LedgerEntry>& entries, const std::vector<std::string_view>& fields) {
  if (entries.empty() || fields.size() != 2) return false;
  if (entries.back().owners.size() >= SysctlLedger::kMaxOwners) return false;
  auto owner = Owner::from_mark(fields[1]);
  if (!owner) return false;
  entries.back().owners.push_back(std::move(*owner));
  return true;
}

bool append_entry(std::vector<LedgerEntry>& entries, const std::vector<std::string_view>& fields) {
  if (fields.size() != 4 || !is_path(fields[1])) return false;
  if (entries.size() >= SysctlLedger::kMaxEntries) return false;
  entries.push_back({.path = std::string(fields[1]),
                     .original = std::string(fields[2]),
                     .value = std::string(fields[3])});
  return true;
}

}  // namespace

const LedgerEntry* SysctlLedger::find(std::string_view path) const {
  const auto found = std::ranges::find(entries_, path, &LedgerEntry::path);
  return found == entries_.end() ? nullptr : &*found;
}

Status SysctlLedger::claim(const Owner& owner, const Sysctl& wanted, std::string_view current,
                           std::vector<Sysctl> side_effects) {
  if (!is_path(wanted.path) || !is_field(wanted.value) || !is_field(current)) {
    return fail(ErrorCode::InvalidArgument, fmt::format("sysctl {}: no such setting", wanted.path));
  }
  const auto found = std::ranges::find(entries_, wanted.path, &LedgerEntry::path);
  if (found == entries_.end()) {
    if (entries_.size() >= kMaxEntries || side_effects.size() > kMaxSideEffects) {
      return fail(ErrorCode::Exhausted,
                  fmt::format("sysctl {}: over {} settings are claimed", wanted.path, kMaxEntries));
    }
    entries_.push_back({.path = wanted.path,
                        .original = std::string(current),
                        .value = wanted.value,
                        .side_effects = std::move(side_effects),
                        .owners = {owner}});
    return ok();
  }
  if (found->owners.empty()) {  // Of a ledger that was edited or torn: whoever comes takes it over.
    found->value = wanted.value;
  } else if (found->value != wanted.value) {
    return fail(ErrorCode::Conflict,
                fmt::format("sysctl {}: {} is wanted, but {} set it to {}; stop that first",
                            wanted.path, wanted.value, found->owners.front().mark(), found->value));
  }
  if (std::ranges::find(found->owners, owner) != found->owners.end()) return ok();
  if (found->owners.size() >= kMaxOwners) {
    return fail(ErrorCode::Exhausted,
                fmt::format("sysctl {}: over {} owners", wanted.path, kMaxOwners));
  }
  found->owners.push_back(owner);
  return ok();
}

std::vector<LedgerEntry> SysctlLedger::release(const Owner& owner) {
  std::vector<LedgerEntry> kept;
  std::vector<LedgerEntry> unwanted;
  for (LedgerEntry& entry : entries_) {
    const bool was_owner = std::erase(entry.owners, owner) > 0;
    const bool over = was_owner && entry.owners.empty();
    (over ? unwanted : kept).push_back(std::move(entry));
  }
  entries_ = std::move(kept);
  std::ranges::reverse(unwanted);
  return unwanted;
}

void SysctlLedger::forget(std::string_view path) {
  std::erase_if(entries_, [&](const LedgerEntry& entry) { return entry.path == path; });
}

std::vector<Owner> SysctlLedger::owners() const {
  std::vector<Owner> all;
  for (const LedgerEntry& entry : entries_) {
    for (const Owner& owner : entry.owners) {
      if (std::ranges::find(all, owner) == all.end()) all.push_back(owner);
    }
  }
  return all;
}

std::string SysctlLedger::to_text() const {
  std::string text = fmt::format("boot\t{}\n", boot_);
  for (const LedgerEntry& entry : entries_) {
    text += fmt::format("sysctl\t{}\t{}\t{}\n", entry.path, entry.original, entry.value);
    for (const Sysctl& effect : entry.side_effects) {
      text += fmt::format("effect\t{}\t{}\n", effect.path, effect.value);
    }
    for (const Owner& owner : entry.owners) text += fmt::format("owner\t{}\n", owner.mark());
  }
  return text;
}

Result<SysctlLedger> SysctlLedger::parse(std::string_view text) {
  if (text.size() > kMaxTextSize) return pass(corrupt(1));
  SysctlLedger ledger("");
  std::size_t number = 0;
  for (std::string_view line : split(text, '\n')) {
    ++number;
    if (line.empty()) continue;
    const auto fields = split(line, kSeparator);
    bool understood = false;
    if (fields[0] == "boot" && fields.size() == 2 && number == 1) {
      ledger.boot_ = fields[1];
      understood = true;
    } else if (fields[0] == "sysctl") {
      understood = append_entry(ledger.entries_, fields);
    } else if (fields[0] == "effect") {
      understood = append_effect(ledger.entries_, fields);
    } else if (fields[0] == "owner") {
      understood = append_owner(ledger.entries_, fields);
    }
    if (!understood) return pass(corrupt(number));
  }
  return ledger;
}

}  // namespace ginnel::hostnet
