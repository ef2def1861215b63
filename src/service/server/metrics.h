// What `/metrics` says, in Prometheus's text format. Names and labels are those of docs/metrics.md;
// no label holds a peer's name or key unless `peers_by_name` is filled.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "core/wg/device_config.h"

namespace ginnel::server {

// Numbers by the value of one label.
using LabelledCounts = std::map<std::string, std::uint64_t>;

// Both directions as the host sees them: inbound is what peers sent to it.
struct PathTraffic {
  std::uint64_t inbound_bytes = 0;
  std::uint64_t outbound_bytes = 0;

  friend bool operator==(const PathTraffic&, const PathTraffic&) = default;
};

struct PeerMetrics {
  std::string name;
  crypto::PublicKey public_key;
  std::uint64_t inbound_bytes = 0;
  std::uint64_t outbound_bytes = 0;
  std::optional<UnixTime> last_handshake = {};
};

struct MetricsSnapshot {
  std::string version;
  UnixTime started{};
  std::map<std::string, PathTraffic> traffic = {};  // By "direct_ipv4", "direct_ipv6".
  LabelledCounts inbound_drops = {};                // By reason.
  LabelledCounts outbound_drops = {};
  LabelledCounts handshakes = {};               // By "completed", or why they failed.
  LabelledCounts peers = {};                    // By state.
  LabelledCounts health_messages = {};          // By the finding's code.
  LabelledCounts dns_events = {};               // Of the server's own resolver, by kind.
  std::vector<PeerMetrics> peers_by_name = {};  // Only with --metrics-per-peer.
};

std::string to_metrics_text(const MetricsSnapshot& snapshot);

// Why a peer can or cannot be talked to: a value of the label `state`.
enum class PeerState {
  Direct,       // It has a session that is alive.
  Idle,         // It has none, and nobody asks for one.
  Unreachable,  // We keep asking it for one, in vain.
};
inline constexpr PeerState kPeerStates[] = {PeerState::Direct, PeerState::Idle,
                                            PeerState::Unreachable};
std::string_view name_of(PeerState state);
PeerState state_of(const wg::PeerStatus& peer, UnixTime now);

// The counters of a device as Prometheus wants them: they only grow, also when peers are removed,
// roam from one family to the other, or the device starts again. Counts from its making on.
class MetricsCounters {
 public:
  // Call every few seconds and before fill(): what happened since is booked on the path that a peer
  // has now, and of several handshakes of one peer one is counted.
  void record(const wg::DeviceStatus& device);

  // Sets traffic, drops and handshakes.
  void fill(MetricsSnapshot& snapshot) const;

 private:
  // The last values of one peer. A peer that was always silent has none.
  struct Seen {
    std::uint64_t turn = 0;
    std::uint64_t rx_bytes = 0;
    std::uint64_t tx_bytes = 0;
    std::optional<UnixTime> last_handshake;
    std::vector<wg::NamedCounter> counters;
  };

  void record_peer(const wg::PeerStatus& peer, Seen& seen);

  std::uint64_t turn_ = 0;
  std::unordered_map<crypto::PublicKey, Seen> peers_;
  std::vector<wg::NamedCounter> device_;
  PathTraffic ipv4_;
  PathTraffic ipv6_;
  LabelledCounts inbound_drops_;
  LabelledCounts outbound_drops_;
  LabelledCounts handshakes_;
};

}  // namespace ginnel::server
