#include "service/server/privileges.h"

#include <algorithm>

#include "os/file.h"

namespace ginnel::server {
namespace {

// Files that a server reads or writes while it runs.
std::vector<std::string> files_of(const ServerPaths& paths, const std::string& key_file) {
  std::vector<std::string> files = {paths.config_file,     paths.peers_directory,
                                    paths.state_directory, paths.database(),
                                    paths.run_directory,   paths.public_run_directory};
  if (!key_file.empty()) files.push_back(key_file);
  if (const auto names = os::list_directory(paths.peers_directory)) {
    for (const std::string& name : *names) files.push_back(paths.peers_directory + "/" + name);
  }
  return files;
}

}  // namespace

std::vector<os::Capability> needed_capabilities(const ServerPaths& paths,
                                                const std::string& key_file) {
  // A reload may choose a port below 1024.
  std::vector<os::Capability> needed = {os::Capability::NetAdmin, os::Capability::NetBindService};
  if (!std::ranges::all_of(files_of(paths, key_file), os::is_own_file)) {
    // A user's files, served by root: an edit leaves them the user's.
    needed.insert(needed.end(), {os::Capability::DacOverride, os::Capability::Chown});
  }
  return needed;
}

}  // namespace ginnel::server
