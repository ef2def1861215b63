#include "service/killswitch/lock_files.h"

#include <fmt/format.h>

#include "base/text.h"
#include "core/hostnet/lock_tables.h"
#include "core/hostnet/nft_print.h"
#include "os/file.h"

namespace ginnel::killswitch {
namespace {

constexpr mode_t kDirectoryMode = 0700;
constexpr std::size_t kMaxWatchedRecord = 32;

Result<hostnet::LockPolicy> parse(const std::string& path, std::string_view text) {
  auto policy = hostnet::parse_lock_policy(text);
  if (policy) return policy;
  return fail(policy.error().code,
              fmt::format("{}: {}; remove the file, and lock again", path, policy.error().message));
}

}  // namespace

Result<hostnet::LockPolicy> LockFiles::read() const {
  if (!os::file_exists(policy_path())) return hostnet::LockPolicy{};
  const auto text = os::read_file(policy_path(), hostnet::kMaxLockRecord);
  if (!text) return std::unexpected(text.error());
  return parse(policy_path(), *text);
}

Status LockFiles::write(const hostnet::LockPolicy& policy) const {
  if (policy.state == hostnet::LockState::Off) {
    if (Status removed = os::remove_file(ruleset_path()); !removed) return removed;
    return os::remove_file(policy_path());
  }
  if (Status made = os::make_directories(state_directory_, kDirectoryMode); !made) return made;
  std::string ruleset;
  for (const hostnet::nft::Table& table : lock_tables(policy)) ruleset += print(table);
  if (Status written = os::write_file_atomically(ruleset_path(), ruleset, 0600); !written) {
    return written;
  }
  return os::write_file_atomically(policy_path(), to_text(policy), 0600);
}

Result<std::optional<LockFiles::Pending>> LockFiles::read_pending() const {
  if (!os::file_exists(pending_path())) return std::nullopt;
  const auto text = os::read_file(pending_path(), hostnet::kMaxLockRecord);
  if (!text) return std::unexpected(text.error());
  const std::size_t end = std::min(text->find('\n'), text->size());
  const auto nanoseconds =
      parse_number<std::int64_t>(std::string_view(*text).substr(0, end), 0, INT64_MAX);
  if (!nanoseconds) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("{}: line 1: cannot be read; remove the file", pending_path()));
  }
  auto former = parse(pending_path(), std::string_view(*text).substr(end));
  if (!former) return pass(std::move(former));
  return Pending{.deadline = MonoTime(Duration(*nanoseconds)), .former = std::move(*former)};
}

Status LockFiles::write_pending(const Pending& pending) const {
  const std::string text =
      fmt::format("{}\n{}", pending.deadline.time_since_epoch().count(), to_text(pending.former));
  return os::write_file_atomically(pending_path(), text, 0600);
}

Status LockFiles::remove_pending() const { return os::remove_file(pending_path()); }

std::optional<std::uint32_t> LockFiles::read_watched() const {
  const auto text = os::read_file(watched_path(), kMaxWatchedRecord);
  if (!text) return std::nullopt;
  const auto port = parse_number<std::uint32_t>(trim(*text), 0, UINT32_MAX);
  return port ? std::optional(*port) : std::nullopt;
}

Status LockFiles::write_watched(std::uint32_t port) const {
  return os::write_file_atomically(watched_path(), fmt::format("{}\n", port), 0600);
}

Status LockFiles::remove_watched() const { return os::remove_file(watched_path()); }

Status LockFiles::owe_forgetting() const {
  return os::write_file_atomically(forgetting_path(), "", 0600);
}

bool LockFiles::owes_forgetting() const { return os::file_exists(forgetting_path()); }

Status LockFiles::have_forgotten() const { return os::remove_file(forgetting_path()); }

}  // namespace ginnel::killswitch
