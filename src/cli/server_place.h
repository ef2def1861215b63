// The flags that say which server a command means, shared by `server` and `peer`.
#pragma once

#include "cli/args.h"
#include "cli/io.h"
#include "service/server/server_paths.h"

namespace ginnel::cli {

inline constexpr Flag kStateDirFlag{
    .name = "--state-dir",
    .value = "DIR",
    .help = "keep configuration and state in DIR (default: /etc/ginnel and /var/lib/ginnel)",
    .completes = Completes::Folder};
inline constexpr Flag kServerConfigFlag{
    .name = "--config",
    .value = "FILE",
    .help = "read this file; peers.d is beside it (default: /etc/ginnel/server.toml)",
    .completes = Completes::File};
inline constexpr Flag kWhichServerFlag{.name = "--interface",
                                       .value = "IFACE",
                                       .help = "the server on this interface, if several run",
                                       .completes = Completes::Interface};

// REQUIRES: the verb declares --state-dir and --config.
Result<server::ServerPaths> server_paths(const Args& args, const Io& io);

}  // namespace ginnel::cli
