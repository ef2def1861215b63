#include "service/server/metrics.h"

#include <functional>

#include "http/metric_families.h"

namespace ginnel::server {
namespace {

using http::MetricFamilies;

// Whitepaper, section 6.1: no session is used for longer after its handshake (REJECT_AFTER_TIME).
constexpr Duration kSessionLife = 180s;

void add(MetricFamilies& families, std::string_view label, const LabelledCounts& counts) {
  for (const auto& [value, count] : counts) families.add(count, {{std::string(label), value}});
}

double seconds(UnixTime time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

void add_traffic(MetricFamilies& families, const std::map<std::string, PathTraffic>& traffic) {
  struct Row {
    std::string_view name;
    std::string_view help;
    std::uint64_t PathTraffic::* value;
  };
  constexpr Row kRows[] = {
      {"ginnel_inbound_bytes_total", "Bytes received from peers.", &PathTraffic::inbound_bytes},
      {"ginnel_outbound_bytes_total", "Bytes sent to peers.", &PathTraffic::outbound_bytes},
  };
  for (const Row& row : kRows) {
    families.counter(std::string(row.name), std::string(row.help));
    for (const auto& [path, counts] : traffic) families.add(counts.*row.value, {{"path", path}});
  }
}

MetricFamilies::Labels labels_of(const PeerMetrics& peer) {
  return {{"name", peer.name}, {"public_key", peer.public_key.to_base64()}};
}

void add_peers_by_name(MetricFamilies& families, const std::vector<PeerMetrics>& peers) {
  if (peers.empty()) return;
  families.counter("ginnel_peer_inbound_bytes_total", "Bytes received from the peer.");
  for (const PeerMetrics& peer : peers) families.add(peer.inbound_bytes, labels_of(peer));
  families.counter("ginnel_peer_outbound_bytes_total", "Bytes sent to the peer.");
  for (const PeerMetrics& peer : peers) families.add(peer.outbound_bytes, labels_of(peer));
  families.gauge("ginnel_peer_last_handshake_seconds",
                 "When the last handshake was, in seconds since 1970.");
  for (const PeerMetrics& peer : peers) {
    if (peer.last_handshake) families.add(seconds(*peer.last_handshake), labels_of(peer));
  }
}

// Calls back with what each counter has grown by since `seen`, and brings `seen` up to date. A
// counter that fell began again from zero.
void take_growth(const std::vector<wg::NamedCounter>& counters, std::vector<wg::NamedCounter>& seen,
                 const std::function<void(std::string_view, std::uint64_t)>& grown) {
  for (const wg::NamedCounter& counter : counters) {
    const auto before = std::ranges::find(seen, counter.name, &wg::NamedCounter::name);
    const std::uint64_t base =
        before != seen.end() && before->value <= counter.value ? before->value : 0;
    if (counter.value > base) grown(counter.name, counter.value - base);
  }
  seen = counters;
}

std::uint64_t growth(std::uint64_t now, std::uint64_t before) {
  return now >= before ? now - before : now;
}

// Whether a reason names packets on their way out, to peers. What is not known to be is inbound.
bool is_outbound(std::string_view reason) {
  constexpr std::string_view kOutbound[] = {"no_route", "no_endpoint", "unanswered", "queue_full",
                                            "oversize"};
  return std::ranges::find(kOutbound, reason) != std::end(kOutbound);
}

}  // namespace

std::string to_metrics_text(const MetricsSnapshot& snapshot) {
  MetricFamilies families;
  families.gauge("ginnel_build_info", "The version that runs; always 1.")
      .add(1.0, {{"version", snapshot.version}});
  families.gauge("ginnel_start_time_seconds", "When it started, in seconds since 1970.")
      .add(seconds(snapshot.started));
  add_traffic(families, snapshot.traffic);
  add(families.counter("ginnel_inbound_dropped_packets_total",
                       "Packets from peers that were dropped."),
      "reason", snapshot.inbound_drops);
  add(families.counter("ginnel_outbound_dropped_packets_total",
                       "Packets to peers that were dropped."),
      "reason", snapshot.outbound_drops);
  add(families.counter("ginnel_handshakes_total", "Handshakes with configured peers."), "result",
      snapshot.handshakes);
  add(families.gauge("ginnel_peers", "Peers that are configured."), "state", snapshot.peers);
  add(families.gauge("ginnel_health_messages", "Findings that somebody should look at."), "type",
      snapshot.health_messages);
  if (!snapshot.dns_events.empty()) {
    add(families.counter("ginnel_dns_events_total", "What the resolver for clients did."), "event",
        snapshot.dns_events);
  }
  add_peers_by_name(families, snapshot.peers_by_name);
  return families.text();
}

std::string_view name_of(PeerState state) {
  switch (state) {
    case PeerState::Direct:
      return "direct";
    case PeerState::Idle:
      return "idle";
    case PeerState::Unreachable:
      return "unreachable";
  }
  return "idle";
}

PeerState state_of(const wg::PeerStatus& peer, UnixTime now) {
  if (peer.last_handshake && now - *peer.last_handshake < kSessionLife) return PeerState::Direct;
  // With a keepalive the engine never stops asking for a session.
  const bool asks = peer.endpoint && peer.persistent_keepalive_seconds != 0;
  return asks ? PeerState::Unreachable : PeerState::Idle;
}

void MetricsCounters::record(const wg::DeviceStatus& device) {
  take_growth(device.counters, device_, [&](std::string_view name, std::uint64_t count) {
    constexpr std::string_view kDrop = "drop_";
    if (name.starts_with(kDrop)) {
      const std::string_view reason = name.substr(kDrop.size());
      (is_outbound(reason) ? outbound_drops_ : inbound_drops_)[std::string(reason)] += count;
    } else if (name.starts_with("tun_read_") || name.starts_with("udp_send_")) {
      outbound_drops_[std::string(name)] += count;
    } else if (name.starts_with("tun_write_") || name.starts_with("udp_receive_")) {
      inbound_drops_[std::string(name)] += count;
    }
  });
  ++turn_;
  for (const wg::PeerStatus& peer : device.peers) {
    const bool is_silent =
        peer.rx_bytes == 0 && peer.tx_bytes == 0 && !peer.last_handshake && peer.counters.empty();
    if (!is_silent) record_peer(peer, peers_[peer.public_key]);
  }
  std::erase_if(peers_, [&](const auto& entry) { return entry.second.turn != turn_; });
}

void MetricsCounters::record_peer(const wg::PeerStatus& peer, Seen& seen) {
  seen.turn = turn_;
  if (peer.last_handshake && peer.last_handshake != seen.last_handshake) ++handshakes_["completed"];
  seen.last_handshake = peer.last_handshake;
  take_growth(peer.counters, seen.counters, [&](std::string_view name, std::uint64_t count) {
    constexpr std::string_view kHandshake = "handshake_";
    if (name.starts_with(kHandshake)) {
      handshakes_[std::string(name.substr(kHandshake.size()))] += count;
    }
  });
  if (!peer.endpoint) return;
  PathTraffic& path = peer.endpoint->address.is_v4() ? ipv4_ : ipv6_;
  path.inbound_bytes += growth(peer.rx_bytes, seen.rx_bytes);
  path.outbound_bytes += growth(peer.tx_bytes, seen.tx_bytes);
  seen.rx_bytes = peer.rx_bytes;
  seen.tx_bytes = peer.tx_bytes;
}

void MetricsCounters::fill(MetricsSnapshot& snapshot) const {
  snapshot.traffic["direct_ipv4"] = ipv4_;
  snapshot.traffic["direct_ipv6"] = ipv6_;
  snapshot.inbound_drops = inbound_drops_;
  snapshot.outbound_drops = outbound_drops_;
  snapshot.handshakes = handshakes_;
}

}  // namespace ginnel::server
