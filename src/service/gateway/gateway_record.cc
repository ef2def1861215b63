#include "service/gateway/gateway_record.h"

#include <fmt/format.h>

#include "core/hostnet/standing_record.h"
#include "os/file.h"
#include "os/marked_rules.h"

namespace ginnel::gateway {
namespace {

using hostnet::StandingRecord;

std::string record_path(const std::string& directory) { return directory + "/gateway.record"; }

}  // namespace

std::string gateway_lock_path(const std::string& directory) { return directory + "/gateway.lock"; }

Status check_not_running(const hostnet::LockPolicy& lock, const std::string& run_directory) {
  constexpr std::string_view kHolder = "gateway:";
  if (!lock.holder.starts_with(kHolder)) return ok();
  const std::string directory = os::SysctlClaims::directory_in(run_directory);
  // Waits for one that is just dying.
  const auto alone = os::FileLock::take(gateway_lock_path(directory));
  if (alone) return ok();
  if (alone.error().code != ErrorCode::AlreadyExists) return std::unexpected(alone.error());
  return fail(ErrorCode::Conflict,
              fmt::format("the lock is that of the gateway through {}, which runs; end that first "
                          "(\"systemctl stop ginnel-gateway@{}\", or Ctrl-C where it was started)",
                          lock.holder.substr(kHolder.size()), lock.holder.substr(kHolder.size())));
}

Status write_record(const os::SysctlClaims& claims, const quick::Resolver::Choice& told) {
  const StandingRecord record{.boot = claims.boot(),
                              .owner = claims.owner(),
                              .resolver = told.name,
                              .silenced = told.silenced};
  return os::write_file_atomically(record_path(claims.directory()), record.to_text(), 0600);
}

Status remove_record(const os::SysctlClaims& claims) {
  return os::remove_file(record_path(claims.directory()));
}

Status take_back_left(const std::string& directory, os::NftSocket& socket,
                      quick::Interruption& interruption) {
  const std::string path = record_path(directory);
  if (!os::file_exists(path)) return ok();
  const auto text = os::read_file(path, StandingRecord::kMaxTextSize);
  if (!text) return std::unexpected(text.error());
  const auto record = StandingRecord::parse(*text);
  if (!record) {
    return fail(record.error().code,
                fmt::format("{}: {}; remove the file", path, record.error().message));
  }
  // The link that had the servers went with the gateway.
  const quick::Resolver resolver(directory, record->owner, interruption);
  Status untold = resolver.take_back(quick::choice_of(*record));
  if (Status removed = os::remove_marked(socket, record->owner); !removed) return removed;
  // A resolver that is gone or broken would refuse for ever: said, but not kept.
  Status forgotten = os::remove_file(path);
  return untold ? forgotten : untold;
}

Status take_back_if_dead(const std::string& run_directory) {
  const std::string directory = os::SysctlClaims::directory_in(run_directory);
  if (!os::file_exists(record_path(directory))) return ok();
  const auto alone = os::FileLock::take(gateway_lock_path(directory));
  if (!alone && alone.error().code == ErrorCode::AlreadyExists) return ok();
  if (!alone) return std::unexpected(alone.error());
  auto interruption = quick::Interruption::create();
  if (!interruption) return pass(std::move(interruption));
  auto socket = os::NftSocket::open();
  if (!socket) return pass(std::move(socket));
  return take_back_left(directory, *socket, *interruption);
}

}  // namespace ginnel::gateway
