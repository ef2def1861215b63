#include "cli/server_place.h"

#include "os/process.h"

namespace ginnel::cli {

Result<server::ServerPaths> server_paths(const Args& args, const Io& io) {
  server::PathChoice choice;
  choice.is_root = os::is_root();
  choice.environment = [&](const std::string& name) { return io.environment(name); };
  if (const auto value = args.value("--state-dir")) choice.state_dir = *value;
  if (const auto value = args.value("--config")) choice.config = *value;
  return server::choose_paths(choice);
}

}  // namespace ginnel::cli
