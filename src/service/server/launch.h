// The start of a server in two halves: what can be checked without changing anything, and what is
// made then.
#pragma once

#include "os/file.h"
#include "os/system_rng.h"
#include "service/server/server_files.h"
#include "service/server/server_process.h"
#include "store/database.h"

namespace ginnel::server {

// A server that may be started. Making one changes nothing on the host.
struct CheckedLaunch {
  ServerSource source;
  config::ServerConfig config;
  ServerKey key;
  std::string interface;
  std::optional<os::FileLock> lock;  // Absent: there is no state directory yet.
};
Result<CheckedLaunch> check_launch(const ServerOptions& options, Rng& rng);

// The files of a server that is about to run.
struct PreparedState {
  os::FileLock lock;
  std::unique_ptr<storage::Database> database;
  std::string first_client;  // The name of the client that was made; empty: there were some.
};
// Makes the state directory, the key and, when there is no peer at all, the first client. Brings
// `launch.config` up to date.
Result<PreparedState> prepare_state(CheckedLaunch& launch, Rng& rng, UnixTime now);

}  // namespace ginnel::server
