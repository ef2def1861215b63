// The ledger of kernel settings, as somebody may have left it on the disk: the paths in it are
// written to as root. What is read stays below its limits and /proc/sys, and keeps its meaning.
#include "base/check.h"
#include "base/text.h"
#include "core/hostnet/sysctl_ledger.h"

namespace ginnel::hostnet {
namespace {

void check_path(std::string_view path) {
  CHECK(!path.empty() && path.front() != '/');
  for (const std::string_view part : split(path, '/')) {
    CHECK(!part.empty() && part != "." && part != "..");
  }
}

void check_limits(const SysctlLedger& ledger) {
  CHECK(ledger.entries().size() <= SysctlLedger::kMaxEntries);
  for (const LedgerEntry& entry : ledger.entries()) {
    check_path(entry.path);
    CHECK(ledger.find(entry.path) != nullptr);
    CHECK(entry.owners.size() <= SysctlLedger::kMaxOwners);
    CHECK(entry.side_effects.size() <= SysctlLedger::kMaxSideEffects);
    for (const Sysctl& effect : entry.side_effects) check_path(effect.path);
    for (const Owner& owner : entry.owners) CHECK(Owner::from_mark(owner.mark()) == owner);
  }
}

void check_text(const SysctlLedger& ledger) {
  const std::string text = ledger.to_text();
  if (text.size() > SysctlLedger::kMaxTextSize) return;
  const auto again = SysctlLedger::parse(text);
  CHECK(again && *again == ledger);
}

void read(std::string_view text) {
  auto ledger = SysctlLedger::parse(text);
  if (!ledger) {
    CHECK(ledger.error().message.size() < 256);
    CHECK(ledger.error().message.find('\n') == std::string::npos);
    return;
  }
  check_limits(*ledger);
  check_text(*ledger);

  const Owner newcomer{.role = "server", .interface = "wg0"};
  const auto claimed = ledger->claim(newcomer, {.path = "net/ipv4/ip_forward", .value = "1"}, "0",
                                     {{.path = "net/ipv4/conf/eth0/forwarding", .value = "1"}});
  if (claimed) check_text(*ledger);
  for (const Owner& owner : ledger->owners()) {
    for (const LedgerEntry& entry : ledger->release(owner)) CHECK(entry.owners.empty());
  }
  CHECK(ledger->owners().empty());
}

}  // namespace
}  // namespace ginnel::hostnet

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ginnel::hostnet::read({reinterpret_cast<const char*>(data), size});
  return 0;
}
