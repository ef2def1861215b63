// A server's files: reading them into a ServerConfig, its private key, and one edit at a time. An
// edit is checked as a whole, against everything else, before it is written.
#pragma once

#include <optional>
#include <string>

#include "base/rng.h"
#include "core/config/server_config.h"
#include "service/server/server_paths.h"

namespace ginnel::server {

// Everything that a server's configuration is made of.
struct ServerSource {
  ServerPaths paths;
  config::ServerFlags flags;
  net::Prefix generated_subnet6;  // Used where neither flag nor file says.
};

// What one file is to hold instead of what it holds. May hold keys, and erases them.
struct FileEdit {
  std::string path;
  std::optional<std::string> before;  // Absent: there is no file.
  std::optional<std::string> after;

  FileEdit() = default;
  FileEdit(FileEdit&&) noexcept = default;
  FileEdit& operator=(FileEdit&&) noexcept = default;
  ~FileEdit();

  bool changes_anything() const { return before != after; }
};

// Writes the file as it is after the edit, or as it was before. Mode 0600 when it is new.
Status apply(const FileEdit& edit);
Status undo(const FileEdit& edit);

// The configuration as the files say, or as they would with `edit` applied.
Result<config::ServerConfig> load_server_config(const ServerSource& source,
                                                const FileEdit* edit = nullptr);

// The IPv6 subnet for a state that has none yet: a random one, or that which clients' files are in,
// so that they go on working when the state was lost.
net::Prefix propose_subnet6(const ServerPaths& paths, Rng& rng);

struct ServerKey {
  crypto::PrivateKey key;
  std::string file;     // Empty: it came by flag.
  bool is_new = false;  // Made just now and not yet in the file.
};

// The key that the configuration names; else that in the state directory; else a new one.
Result<ServerKey> load_server_key(const ServerPaths& paths, const config::ServerConfig& config,
                                  Rng& rng);
// Writes a new key; any other is there already.
Status save_server_key(const ServerKey& key);

}  // namespace ginnel::server
