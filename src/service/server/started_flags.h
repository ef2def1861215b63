// The flags that a server was last started with, kept in its state: commands that edit the files of
// a stopped server have to know its subnets and its address. Holds no private key.
#pragma once

#include "service/server/server_files.h"

namespace ginnel::server {

struct StartedFlags {
  config::ServerFlags flags;
  // The server's own, when its private key came by flag and is in no file.
  std::optional<crypto::PublicKey> public_key;
};

Status save_started_flags(const ServerPaths& paths, const StartedFlags& started);
// No flags at all if no server was started yet.
Result<StartedFlags> load_started_flags(const ServerPaths& paths);

}  // namespace ginnel::server
