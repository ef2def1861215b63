#include "service/quick/standing.h"

#include <fmt/format.h>

#include "base/log.h"
#include "os/file.h"
#include "os/interface_index.h"
#include "service/quick/devices.h"
#include "service/quick/resolver.h"
#include "service/tunnel/found_devices.h"

namespace ginnel::quick {

using hostnet::StandingRecord;

Result<Standing> Standing::open(const std::string& run_directory, const std::string& interface,
                                Interruption& interruption) {
  auto applier = os::HostApplier::open(run_directory, {.role = "up", .interface = interface},
                                       os::SysctlClaims::Former::Keep);
  if (!applier) return pass(std::move(applier));
  Standing standing(std::move(*applier), interruption);
  if (Status loaded = standing.load(); !loaded) return pass(std::move(loaded));
  return standing;
}

Status Standing::load() {
  const std::string path = applier_.claims().standing_path(owner());
  if (!os::file_exists(path)) return ok();
  const auto text = os::read_file(path, StandingRecord::kMaxTextSize);
  if (!text) return std::unexpected(text.error());
  auto record = StandingRecord::parse(*text);
  if (!record) {
    return fail(record.error().code,
                fmt::format("{}: {}; remove the file", path, record.error().message));
  }
  if (record->boot != boot()) return ok();
  record_ = std::move(*record);
  is_left_ = true;
  return ok();
}

Status Standing::write(StandingRecord record) {
  record.boot = boot();
  record.owner = owner();
  record_ = std::move(record);
  is_left_ = false;
  return os::write_file_atomically(applier_.claims().standing_path(owner()), record_->to_text(),
                                   0600);
}

Status Standing::remove_rules() {
  const auto host = applier_.read();
  if (!host) return std::unexpected(host.error());
  const auto operations = hostnet::plan(*host, {.former_rules = record_->rules});
  if (!operations) return std::unexpected(operations.error());
  for (const hostnet::Operation& operation : *operations) {
    Status removed = applier_.rtnetlink().apply(operation);
    if (!removed && removed.error().code != ErrorCode::NotFound) return removed;
  }
  return ok();
}

Result<std::optional<std::string>> Standing::present_name() {
  if (!record_) return std::nullopt;
  const auto links = applier_.rtnetlink().read_links();
  if (!links) return std::unexpected(links.error());
  const hostnet::Link* const link = record_->find_link(*links);
  return link == nullptr ? std::nullopt : std::optional(link->name);
}

Status Standing::check_name() {
  const auto present = present_name();
  if (!present) return std::unexpected(present.error());
  const std::string& given = owner().interface;
  if (!*present || **present == given) return ok();
  return fail(
      ErrorCode::Conflict,
      fmt::format("interface {} is called {} by now; \"ip link set {} name {}\" gives it its "
                  "name back, and \"ginnel down\" takes it down",
                  given, **present, **present, given));
}

// Under whatever name. One that has its name, and is not it, is somebody else's.
Status Standing::remove_device() {
  const auto present = present_name();
  if (!present) return std::unexpected(present.error());
  const std::string& given = owner().interface;
  if (*present && **present != given) {
    log::info("interface {} is called {} by now, and is deleted", given, **present);
  } else if (!*present && os::interface_index(given)) {
    log::warn("interface {} is not the one that ginnel brought up; take it down with what made it",
              given);
    return ok();
  }
  return delete_device(given, present->value_or(given), applier_.rtnetlink());
}

// A record without a backend was written when there was no such interface, right before one was
// made. Of our own we know whether it was; a WireGuard interface that there is in spite of another
// process's record is what that one made.
bool Standing::has_device() const {
  if (!record_->backend.empty()) return true;
  return is_left_ && tunnel::find_device(record_->owner.interface).has_value();
}

Status Standing::take_down() {
  if (!record_) return ok();
  Status outcome = ok();
  const auto note = [&](Status status) {
    if (!status && outcome) outcome = std::move(status);
  };
  const Status untold = Resolver(applier_.claims(), *interruption_).take_back(choice_of(*record_));
  note(remove_rules());
  if (has_device()) note(remove_device());
  note(applier_.remove_all());
  if (!outcome) return outcome;
  record_.reset();
  Status forgotten = os::remove_file(applier_.claims().standing_path(owner()));
  // A resolver that is gone or broken would refuse for ever: said, but not kept.
  return untold ? forgotten : untold;
}

}  // namespace ginnel::quick
