// Who wants which kernel setting, and what it was before anybody did. Several processes may need
// one setting (forwarding); it goes back when the last of them ends, and only if it is still as
// they set it. A value and its text form; os/sysctl_claims.h keeps it in a file.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "core/hostnet/host_state.h"
#include "core/hostnet/owner.h"

namespace ginnel::hostnet {

struct LedgerEntry {
  std::string path{};
  std::string original{};
  std::string value{};  // What the owners want, and we set.
  // What the kernel changes along with this one when it is put back, to be put back after it.
  std::vector<Sysctl> side_effects{};
  std::vector<Owner> owners{};
  friend bool operator==(const LedgerEntry&, const LedgerEntry&) = default;
};

class SysctlLedger {
 public:
  static constexpr std::size_t kMaxEntries = 1024;
  static constexpr std::size_t kMaxOwners = 256;        // Of one entry.
  static constexpr std::size_t kMaxSideEffects = 4096;  // Of one entry.
  static constexpr std::size_t kMaxTextSize = std::size_t{4} * 1024 * 1024;

  explicit SysctlLedger(std::string boot) : boot_(std::move(boot)) {}

  // Notes that `owner` wants `wanted`. `current` is the value now and `side_effects` what putting
  // it back would lose; both count only for the first owner. Fails when others want another value.
  Status claim(const Owner& owner, const Sysctl& wanted, std::string_view current,
               std::vector<Sysctl> side_effects);

  // Forgets what `owner` wanted, and returns what nobody wants any more, last claimed first: the
  // order in which it is to be put back.
  std::vector<LedgerEntry> release(const Owner& owner);

  // For a setting that went away with its interface: there is nothing to put back.
  void forget(std::string_view path);

  std::vector<Owner> owners() const;  // Each once.
  const std::vector<LedgerEntry>& entries() const { return entries_; }
  const LedgerEntry* find(std::string_view path) const;
  // Settings do not survive the boot that they were made in.
  const std::string& boot() const { return boot_; }

  std::string to_text() const;
  static Result<SysctlLedger> parse(std::string_view text);

  friend bool operator==(const SysctlLedger&, const SysctlLedger&) = default;

 private:
  std::string boot_;
  std::vector<LedgerEntry> entries_;
};

}  // namespace ginnel::hostnet
