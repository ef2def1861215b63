// A tunnel that stands on this host without a process that owns it: what was done for it, and how
// that is taken back. One process at a time works on one tunnel.
#pragma once

#include <optional>

#include "core/hostnet/standing_record.h"
#include "os/host_applier.h"
#include "service/quick/interruption.h"

namespace ginnel::quick {

class Standing {
 public:
  // Fails with AlreadyExists while another process works on this tunnel, naming it.
  static Result<Standing> open(const std::string& run_directory, const std::string& interface,
                               Interruption& interruption);

  // What stands, or was left by a process that was killed. Absent: nothing.
  const std::optional<hostnet::StandingRecord>& record() const { return record_; }

  // What the record's interface is called by now. Absent: it is gone, or there is no record.
  Result<std::optional<std::string>> present_name();
  // Fails when that is another name than it was given.
  Status check_name();

  // To be called before what it says is done.
  Status write(hostnet::StandingRecord record);

  // Takes back all that the record names, the interface as well, and forgets it. Goes on when a
  // step fails, and returns the first failure; then the record stays. Of a process that was killed
  // while it made the interface, one that came to be is taken away too.
  Status take_down();

  const hostnet::Owner& owner() { return applier_.claims().owner(); }
  const std::string& boot() { return applier_.claims().boot(); }
  os::HostApplier& applier() { return applier_; }

 private:
  Standing(os::HostApplier applier, Interruption& interruption)
      : applier_(std::move(applier)), interruption_(&interruption) {}
  Status load();
  Status remove_rules();
  Status remove_device();
  bool has_device() const;

  os::HostApplier applier_;
  Interruption* interruption_;
  std::optional<hostnet::StandingRecord> record_;
  bool is_left_ = false;  // The record is another process's.
};

}  // namespace ginnel::quick
