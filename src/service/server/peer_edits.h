// The edits that `ginnel peer` makes to a server's files: each is one file's new text, which
// load_server_config() checks before anybody writes it.
#pragma once

#include "base/time.h"
#include "service/server/new_peer.h"
#include "service/server/server_files.h"

namespace ginnel::server {

// `config` is what the files say before the edit. Errors name the peer and what to do instead.
class PeerEdits {
 public:
  PeerEdits(const ServerPaths& paths, const config::ServerConfig& config)
      : paths_(paths), config_(config) {}

  Result<FileEdit> add(NewPeer peer, Rng& rng, UnixTime now) const;
  Result<FileEdit> remove(std::string_view name) const;
  Result<FileEdit> set_enabled(std::string_view name, bool enabled) const;
  Result<FileEdit> set_rules(std::string_view name, const RuleChange& change) const;
  // Takes the client's private key out of the file; the client goes on working.
  Result<FileEdit> forget_key(std::string_view name) const;

 private:
  Result<const config::ServerPeer*> find(std::string_view name) const;
  Result<FileEdit> edit_document(
      std::string_view name,
      const std::function<Status(config::TomlDocument&, const config::ServerPeer&)>& change) const;

  const ServerPaths& paths_;
  const config::ServerConfig& config_;
};

}  // namespace ginnel::server
