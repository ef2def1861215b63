// Where a server keeps its configuration, its state and its sockets.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace ginnel::server {

struct ServerPaths {
  std::string config_file;
  bool config_file_is_named = false;  // Then it has to exist.
  std::string peers_directory;
  std::string state_directory;
  std::string run_directory;  // For the control socket.
  // Where commands look for servers that keep their socket elsewhere; may be the run directory.
  std::string public_run_directory;
  // Where those of the system have theirs, for a user who has none of his own; else empty.
  std::string system_run_directory;

  std::string key_file() const { return state_directory + "/server.key"; }
  std::string database() const { return state_directory + "/server.db"; }
  std::string lock_file() const { return state_directory + "/server.lock"; }
  std::string control_socket(const std::string& interface) const {
    return run_directory + "/server-" + interface + ".sock";
  }
  std::string public_socket(const std::string& interface) const {
    return public_run_directory + "/server-" + interface + ".sock";
  }
};

struct PathChoice {
  std::optional<std::string> state_dir;  // --state-dir: configuration and state are both in there.
  std::optional<std::string> config;     // --config: peers.d is beside it.
  bool is_root = false;
  std::function<std::optional<std::string>(const std::string&)> environment;
};

// Flags first; then the directories that systemd made for a unit; then /etc, /var/lib and /run for
// root and the XDG directories for everybody else. Fails when not even a home directory is known.
Result<ServerPaths> choose_paths(const PathChoice& choice);

}  // namespace ginnel::server
