// A running server: its configuration, its device and what it changed on the host, kept in step.
// Starts no thread and waits for nothing; any thread may call.
#pragma once

#include <memory>

#include "base/mutex.h"
#include "core/server/endpoint_names.h"
#include "core/server/host_fit.h"
#include "core/server/peer_routes.h"
#include "os/clock.h"
#include "service/server/host_network.h"
#include "service/server/metrics.h"
#include "service/server/peer_edits.h"
#include "service/server/traffic_book.h"
#include "service/server/views.h"
#include "service/tunnel/wg_device.h"

namespace ginnel::server {

class Server {
 public:
  struct Parts {
    ServerSource source;
    config::ServerConfig config;  // What the source says.
    ServerKey key;
    // All of these outlive the server.
    tunnel::WgDevice& device;
    HostNetwork& host;
    const storage::Database& database;
    const os::Clock& clock;
    Rng& rng;
    std::int64_t process = 0;
  };

  // Configures device and host. When it fails, the host is as it was.
  static Result<std::unique_ptr<Server>> start(Parts parts);
  // Saves what was counted and takes back what was changed on the host.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  ServerView view();
  std::vector<PeerView> peers();
  Result<PeerView> peer(std::string_view name);
  // For messages. Empty for a peer that is gone.
  std::string name_of(const crypto::PublicKey& peer);
  // What /metrics says; names and keys only `with_peers`.
  std::string metrics_text(bool with_peers);
  // The client's wg-quick file, which holds its keys.
  Result<std::string> client_file(std::string_view name);

  // Each reads all files again first, so that what was edited by hand counts too, writes one file
  // and applies what changed. When any of it fails nothing changes.
  Result<PeerView> add_peer(NewPeer peer);
  Result<ChangeView> remove_peer(std::string_view name);
  Result<ChangeView> set_peer_enabled(std::string_view name, bool enabled);
  Result<ChangeView> set_peer_rules(std::string_view name, const RuleChange& change);
  Result<ChangeView> forget_peer_key(std::string_view name);
  Result<ChangeView> reload();

  // Looks at the host again: its ways out and its firewalls. Call when something there changed.
  void follow_host();
  // Host names of peers' endpoints that are to be looked up now. Each is asked for once, until its
  // answer is handled.
  std::vector<std::string> take_due_lookups();
  MonoTime next_lookup();
  void handle_lookup(const std::string& name, Result<std::vector<net::Address>> answer);
  // Counts what the device did since the last call. Call every traffic_interval().
  void record_traffic();
  Duration traffic_interval();
  // Writes totals to the database. A failure is logged, and made up for by the next call.
  void save_traffic();

 private:
  Server(Parts parts, TrafficBook traffic);

  Status bring_up() REQUIRES_LOCK(mutex_);
  Result<config::ServerConfig> read_files() const REQUIRES_LOCK(mutex_);
  Result<ChangeView> edit_files(
      const std::function<Result<FileEdit>(const PeerEdits& edits)>& make_edit)
      REQUIRES_LOCK(mutex_);
  Result<ChangeView> adopt(config::ServerConfig next) REQUIRES_LOCK(mutex_);
  Result<ServerKey> read_key_again(const config::ServerConfig& next) REQUIRES_LOCK(mutex_);
  Status check_adoptable(const config::ServerConfig& next) const REQUIRES_LOCK(mutex_);
  // The device and the host, in such an order that no client ever sends by rules that are not his.
  Status change(const config::ServerConfig& before, const config::ServerConfig& after,
                const ServerKey* new_key, const hostnet::HostState& host) REQUIRES_LOCK(mutex_);
  // REQUIRES: the interface is up.
  void call_back_peers(const std::vector<config::ServerPeer>& before) REQUIRES_LOCK(mutex_);
  // The change with endpoints for the names that are known.
  void fill_in_endpoints(const config::ServerConfig& config, wg::DeviceChange& change) const
      REQUIRES_LOCK(mutex_);
  void append_name_findings(std::vector<Finding>& findings) const REQUIRES_LOCK(mutex_);
  HostWishes host_wishes(const config::ServerConfig& config, const hostnet::HostState& host) const
      REQUIRES_LOCK(mutex_);
  void follow() REQUIRES_LOCK(mutex_);
  void look_at_host(hostnet::HostState state) REQUIRES_LOCK(mutex_);
  void find_out() REQUIRES_LOCK(mutex_);
  // What the device says, and counted as such.
  wg::DeviceStatus observe() REQUIRES_LOCK(mutex_);
  PeerView view_of(const config::ServerPeer& peer, const wg::PeerStatus* status) const
      REQUIRES_LOCK(mutex_);

  tunnel::WgDevice& device_;
  HostNetwork& host_;
  const os::Clock& clock_;
  Rng& rng_;
  const ServerSource source_;
  const std::int64_t process_;
  const Now started_;

  Mutex mutex_;
  config::ServerConfig config_ GUARDED_BY(mutex_);
  ServerKey key_ GUARDED_BY(mutex_);
  crypto::PublicKey public_key_ GUARDED_BY(mutex_);
  hostnet::HostState host_state_ GUARDED_BY(mutex_);
  Uplinks uplinks_ GUARDED_BY(mutex_);
  EndpointNames names_ GUARDED_BY(mutex_);
  PeerPlaces places_ GUARDED_BY(mutex_);  // When traffic was last counted.
  std::vector<Finding> findings_ GUARDED_BY(mutex_);
  TrafficBook traffic_ GUARDED_BY(mutex_);
  MetricsCounters metrics_ GUARDED_BY(mutex_);
};

}  // namespace ginnel::server
