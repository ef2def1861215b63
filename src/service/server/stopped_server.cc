#include "service/server/stopped_server.h"

#include <algorithm>

#include "os/rtnetlink.h"
#include "service/server/change_summary.h"
#include "service/server/client_files.h"
#include "service/server/peer_views.h"
#include "service/server/server_state.h"
#include "store/traffic_store.h"

namespace ginnel::server {

Result<std::unique_ptr<StoppedServer>> StoppedServer::open(ServerPaths paths,
                                                           const os::Clock& clock, Rng& rng) {
  auto started = load_started_flags(paths);
  if (!started) return pass(std::move(started));
  std::unique_ptr<StoppedServer> server(new StoppedServer(std::move(paths), clock, rng));
  server->source_.flags = std::move(started->flags);
  server->flagged_key_ = started->public_key;
  server->source_.generated_subnet6 = propose_subnet6(server->source_.paths, rng);
  if (os::file_exists(server->source_.paths.database())) {
    if (Status opened = server->open_state(); !opened) return pass(std::move(opened));
  }
  return server;
}

Status StoppedServer::open_state() {
  if (database_) return ok();
  auto database = open_database(source_.paths);
  if (!database) return pass(std::move(database));
  auto subnet6 = keep_subnet6(**database, source_.generated_subnet6);
  if (!subnet6) return pass(std::move(subnet6));
  source_.generated_subnet6 = *subnet6;
  database_ = std::move(*database);
  return ok();
}

Status StoppedServer::take_over() {
  if (lock_) return ok();
  if (Status made = os::make_directories(source_.paths.state_directory, 0700); !made) return made;
  auto lock = os::FileLock::take(source_.paths.lock_file());
  if (!lock) return pass(std::move(lock));
  lock_ = std::move(*lock);
  return open_state();
}

Result<std::vector<PeerView>> StoppedServer::peers() {
  const auto config = load_server_config(source_);
  if (!config) return std::unexpected(config.error());
  std::optional<storage::TrafficStore> totals;
  if (database_) {
    auto opened = storage::TrafficStore::open(*database_);
    if (!opened) return pass(std::move(opened));
    totals = std::move(*opened);
  }
  std::vector<PeerView> views;
  for (const config::ServerPeer& peer : config->peers) {
    PeerView view = describe_peer(peer);
    if (totals) add_traffic(totals->total(store_key(peer.public_key)), view);
    views.push_back(std::move(view));
  }
  return views;
}

Result<PeerView> StoppedServer::peer(const std::string& name) {
  auto views = peers();
  if (!views) return pass(std::move(views));
  const auto found = std::ranges::find(*views, name, &PeerView::name);
  if (found == views->end()) return no_such_peer(name);
  return std::move(*found);
}

Result<std::string> StoppedServer::client_file(const std::string& name) {
  if (Status taken = take_over(); !taken) return pass(std::move(taken));
  const auto config = load_server_config(source_);
  if (!config) return std::unexpected(config.error());
  const config::ServerPeer* peer = config->find_peer(name);
  if (peer == nullptr) return no_such_peer(name);
  auto key = own_public_key(*config);
  if (!key) return pass(std::move(key));
  auto rtnetlink = os::Rtnetlink::open();
  if (!rtnetlink) return pass(std::move(rtnetlink));
  const auto host = rtnetlink->read();
  if (!host) return std::unexpected(host.error());
  return make_client_file(*config, *peer, *key, *host, config->interface.value_or(""));
}

// A server that has not been started yet gets its key here, so that the client's file stays right.
Result<crypto::PublicKey> StoppedServer::own_public_key(const config::ServerConfig& config) {
  if (flagged_key_) return *flagged_key_;
  const auto key = load_server_key(source_.paths, config, rng_);
  if (!key) return std::unexpected(key.error());
  if (Status saved = save_server_key(*key); !saved) return pass(std::move(saved));
  return key->key.public_key();
}

Result<config::ServerConfig> StoppedServer::edit_files(
    const std::function<Result<FileEdit>(const PeerEdits& edits)>& make_edit, ChangeView& change) {
  if (Status taken = take_over(); !taken) return pass(std::move(taken));
  const auto before = load_server_config(source_);
  if (!before) return std::unexpected(before.error());
  const auto edit = make_edit(PeerEdits(source_.paths, *before));
  if (!edit) return std::unexpected(edit.error());
  auto after = load_server_config(source_, &*edit);
  if (!after) return after;
  if (Status written = apply(*edit); !written) return pass(std::move(written));
  change = summarize(*before, *after);
  return after;
}

Result<ChangeView> StoppedServer::edit(
    const std::function<Result<FileEdit>(const PeerEdits& edits)>& make_edit) {
  ChangeView change;
  const auto after = edit_files(make_edit, change);
  if (!after) return std::unexpected(after.error());
  return change;
}

Result<PeerView> StoppedServer::add(const NewPeerView& wanted) {
  auto peer = parse_new_peer(wanted);
  if (!peer) return pass(std::move(peer));
  ChangeView change;
  const auto after = edit_files(
      [&](const PeerEdits& edits) { return edits.add(std::move(*peer), rng_, clock_.now().unix); },
      change);
  if (!after) return std::unexpected(after.error());
  return describe_peer(*after->find_peer(wanted.name));
}

Result<ChangeView> StoppedServer::remove(const std::string& name) {
  const auto known = peer(name);
  if (!known) return std::unexpected(known.error());
  auto change = edit([&](const PeerEdits& edits) { return edits.remove(name); });
  if (!change) return change;
  auto totals = storage::TrafficStore::open(*database_);
  if (!totals) return pass(std::move(totals));
  totals->forget(store_key(known->public_key));
  if (Status written = totals->flush(); !written) return pass(std::move(written));
  return change;
}

Result<ChangeView> StoppedServer::set_enabled(const std::string& name, bool enabled) {
  return edit([&](const PeerEdits& edits) { return edits.set_enabled(name, enabled); });
}

Result<ChangeView> StoppedServer::set_rules(const std::string& name, const RuleChangeView& view) {
  const auto change = parse_rule_change(view);
  if (!change) return std::unexpected(change.error());
  return edit([&](const PeerEdits& edits) { return edits.set_rules(name, *change); });
}

Result<ChangeView> StoppedServer::forget_key(const std::string& name) {
  return edit([&](const PeerEdits& edits) { return edits.forget_key(name); });
}

}  // namespace ginnel::server
