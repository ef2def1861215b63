#include "service/server/server_paths.h"

#include <fmt/format.h>

namespace ginnel::server {
namespace {

constexpr std::string_view kPublicRunDirectory = "/run/ginnel";

// Without a slash at its end, so that of a file in the root directory it is empty.
std::string directory_of(const std::string& file) {
  const std::size_t slash = file.rfind('/');
  return slash == std::string::npos ? "." : file.substr(0, slash);
}

std::string without_trailing_slash(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

// The directories of one kind, by systemd's variable for a unit, root's place and the XDG variable
// with its default below the home directory.
struct Kind {
  const char* systemd;
  std::string_view root;
  const char* xdg;
  std::string_view below_home;
};
constexpr Kind kConfiguration{"CONFIGURATION_DIRECTORY", "/etc/ginnel", "XDG_CONFIG_HOME",
                              "/.config"};
constexpr Kind kState{"STATE_DIRECTORY", "/var/lib/ginnel", "XDG_STATE_HOME", "/.local/state"};

Result<std::string> choose_directory(const PathChoice& choice, const Kind& kind) {
  // A unit with several directories lists them with colons; ours is the first.
  if (const auto made = choice.environment(kind.systemd)) return made->substr(0, made->find(':'));
  if (choice.is_root) return std::string(kind.root);
  // Relative ones are to be ignored (XDG Base Directory Specification).
  const auto xdg = choice.environment(kind.xdg);
  if (xdg && xdg->starts_with('/')) return *xdg + "/ginnel";
  if (const auto home = choice.environment("HOME")) {
    return fmt::format("{}{}/ginnel", *home, kind.below_home);
  }
  return fail(ErrorCode::InvalidArgument,
              "no home directory is known to keep files in; name a directory with --state-dir");
}

}  // namespace

Result<ServerPaths> choose_paths(const PathChoice& choice) {
  ServerPaths paths;
  if (choice.state_dir) {
    const std::string directory = without_trailing_slash(*choice.state_dir);
    if (directory.empty()) {
      return fail(ErrorCode::InvalidArgument, "--state-dir: names no directory; write one");
    }
    paths.state_directory = directory;
    paths.config_file = directory + "/server.toml";
    paths.run_directory = directory + "/run";
  } else {
    auto configuration = choose_directory(choice, kConfiguration);
    if (!configuration) return pass(std::move(configuration));
    auto state = choose_directory(choice, kState);
    if (!state) return pass(std::move(state));
    paths.config_file = *configuration + "/server.toml";
    paths.state_directory = *state;
  }
  if (const auto made = choice.environment("RUNTIME_DIRECTORY")) {
    paths.public_run_directory = made->substr(0, made->find(':'));
  } else if (choice.is_root) {
    paths.public_run_directory = kPublicRunDirectory;
  } else if (const auto xdg = choice.environment("XDG_RUNTIME_DIR")) {
    paths.public_run_directory = *xdg + "/ginnel";
  } else {
    paths.public_run_directory = paths.state_directory + "/run";
  }
  const bool is_users = !choice.is_root && !choice.state_dir && !choice.config;
  if (is_users && paths.public_run_directory != kPublicRunDirectory) {
    paths.system_run_directory = kPublicRunDirectory;
  }
  if (paths.run_directory.empty()) paths.run_directory = paths.public_run_directory;
  if (choice.config) {
    paths.config_file = *choice.config;
    paths.config_file_is_named = true;
  }
  paths.peers_directory = directory_of(paths.config_file) + "/peers.d";
  return paths;
}

}  // namespace ginnel::server
