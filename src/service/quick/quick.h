// `ginnel up`, `down` and `reload`: a tunnel by a wg-quick file, which stands by itself when the
// command has ended. Each does all of its work or, when a step fails, takes it back.
#pragma once

#include <string>

#include "os/sysctl_claims.h"
#include "service/quick/devices.h"
#include "service/quick/source.h"

namespace ginnel::quick {

struct QuickOptions {
  std::string configuration;  // As it was asked for: a name or a path.
  std::string run_directory = os::kRunDirectory;
  Backend backend = Backend::Automatic;
  std::string program;                    // Instead of our own userspace device; empty: ours.
  std::vector<std::string> device_flags;  // Of `ginnel dev`, for our own.
  unsigned lookup_retries = kLookupRetries;
  LockedEndpoints locked_endpoints{};
  bool confirm_removal = false;  // Let a file without peers remove all that the device has.
};

// Fails with AlreadyExists when there is such an interface.
Status up(const QuickOptions& options, Interruption& interruption);

// Fails with NotFound when nothing stands. A command of the file that fails ends it: PreDown before
// anything was taken down, PostDown after all was.
Status down(const QuickOptions& options, Interruption& interruption);

// Brings the device and the host to what the file says now, and changes only what differs:
// sessions of peers that stay go on. The file's commands are not run.
Status reload(const QuickOptions& options, Interruption& interruption);

// Looks the names of endpoints up again, and changes those of peers that nothing was heard of for a
// while. Whoever brought the interface up. Sessions go on.
Status reload_endpoints(const QuickOptions& options, Interruption& interruption);

// Brings the tunnel up, or takes over one that stands; stays with it, looking up names of endpoints
// again where that may help; and takes it down when asked to stop. Ends without an error when
// another process takes it down. systemd hears when it stands.
Status stay(const QuickOptions& options, Interruption& interruption);

// Writes what the tunnel is now into its file: an edit that keeps comments, names of hosts and what
// did not change. `down` does the same for a file with SaveConfig.
Status save(const QuickOptions& options, Interruption& interruption);

}  // namespace ginnel::quick
