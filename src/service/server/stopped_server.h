// The peers of a server that does not run: its files, edited as the running server would.
#pragma once

#include "os/clock.h"
#include "os/file.h"
#include "service/server/peer_edits.h"
#include "service/server/peer_service.h"
#include "service/server/started_flags.h"
#include "store/database.h"

namespace ginnel::server {

class StoppedServer final : public PeerService {
 public:
  // Borrows clock and randomness.
  static Result<std::unique_ptr<StoppedServer>> open(ServerPaths paths, const os::Clock& clock,
                                                     Rng& rng);

  bool is_running() const override { return false; }
  Result<std::vector<PeerView>> peers() override;
  Result<PeerView> peer(const std::string& name) override;
  Result<std::string> client_file(const std::string& name) override;
  Result<PeerView> add(const NewPeerView& peer) override;
  Result<ChangeView> remove(const std::string& name) override;
  Result<ChangeView> set_enabled(const std::string& name, bool enabled) override;
  Result<ChangeView> set_rules(const std::string& name, const RuleChangeView& change) override;
  Result<ChangeView> forget_key(const std::string& name) override;

 private:
  StoppedServer(ServerPaths paths, const os::Clock& clock, Rng& rng)
      : source_{.paths = std::move(paths)}, clock_(clock), rng_(rng) {}

  // Makes the state directory and keeps a server from starting meanwhile.
  Status take_over();
  Status open_state();
  Result<crypto::PublicKey> own_public_key(const config::ServerConfig& config);
  Result<config::ServerConfig> edit_files(
      const std::function<Result<FileEdit>(const PeerEdits& edits)>& make_edit, ChangeView& change);
  Result<ChangeView> edit(const std::function<Result<FileEdit>(const PeerEdits& edits)>& make_edit);

  ServerSource source_;
  std::optional<crypto::PublicKey> flagged_key_;  // See StartedFlags.
  const os::Clock& clock_;
  Rng& rng_;
  std::optional<os::FileLock> lock_;
  std::unique_ptr<storage::Database> database_;
};

}  // namespace ginnel::server
