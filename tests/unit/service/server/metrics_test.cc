#include "service/server/metrics.h"

#include <gtest/gtest.h>

#include <regex>
#include <set>
#include <sstream>

#include "core/wg/messages.h"

namespace ginnel::server {
namespace {

crypto::PublicKey key(std::uint8_t number) {
  std::array<std::uint8_t, crypto::kKeySize> bytes{};
  bytes[0] = number;
  return crypto::PublicKey(bytes);
}

wg::PeerStatus peer(std::uint8_t number, std::string_view endpoint) {
  wg::PeerStatus status;
  status.public_key = key(number);
  if (!endpoint.empty()) status.endpoint = *net::Endpoint::parse(endpoint);
  return status;
}

// A status may hold keys, and is therefore not copied but read off again.
wg::PeerStatus look_at(const wg::PeerStatus& peer) {
  wg::PeerStatus status;
  status.public_key = peer.public_key;
  status.endpoint = peer.endpoint;
  status.last_handshake = peer.last_handshake;
  status.rx_bytes = peer.rx_bytes;
  status.tx_bytes = peer.tx_bytes;
  status.counters = peer.counters;
  return status;
}

wg::DeviceStatus device(std::initializer_list<std::reference_wrapper<const wg::PeerStatus>> peers,
                        std::vector<wg::NamedCounter> counters = {}) {
  wg::DeviceStatus status;
  for (const wg::PeerStatus& peer : peers) status.peers.push_back(look_at(peer));
  status.counters = std::move(counters);
  return status;
}

MetricsSnapshot filled(const MetricsCounters& counters) {
  MetricsSnapshot snapshot;
  counters.fill(snapshot);
  return snapshot;
}

MetricsSnapshot example() {
  MetricsSnapshot snapshot;
  snapshot.version = "0.1.0";
  snapshot.started = UnixTime(std::chrono::seconds(1795254093));
  snapshot.traffic["direct_ipv4"] = {.inbound_bytes = 1'234'567'890'123, .outbound_bytes = 1};
  snapshot.traffic["direct_ipv6"] = {.inbound_bytes = 0, .outbound_bytes = 2};
  snapshot.inbound_drops = {{"bad_tag", 3}, {"replayed", 4}};
  snapshot.outbound_drops = {{"no_route", 5}};
  snapshot.handshakes = {{"completed", 6}, {"unanswered", 7}};
  snapshot.peers = {{"direct", 1}, {"idle", 2}};
  snapshot.health_messages = {{"firewall-blocks-overlay", 1}};
  return snapshot;
}

TEST(MetricsText, NamesEverySeries) {
  EXPECT_EQ(to_metrics_text(example()),
            R"(# HELP ginnel_build_info The version that runs; always 1.
# TYPE ginnel_build_info gauge
ginnel_build_info{version="0.1.0"} 1
# HELP ginnel_start_time_seconds When it started, in seconds since 1970.
# TYPE ginnel_start_time_seconds gauge
ginnel_start_time_seconds 1795254093
# HELP ginnel_inbound_bytes_total Bytes received from peers.
# TYPE ginnel_inbound_bytes_total counter
ginnel_inbound_bytes_total{path="direct_ipv4"} 1234567890123
ginnel_inbound_bytes_total{path="direct_ipv6"} 0
# HELP ginnel_outbound_bytes_total Bytes sent to peers.
# TYPE ginnel_outbound_bytes_total counter
ginnel_outbound_bytes_total{path="direct_ipv4"} 1
ginnel_outbound_bytes_total{path="direct_ipv6"} 2
# HELP ginnel_inbound_dropped_packets_total Packets from peers that were dropped.
# TYPE ginnel_inbound_dropped_packets_total counter
ginnel_inbound_dropped_packets_total{reason="bad_tag"} 3
ginnel_inbound_dropped_packets_total{reason="replayed"} 4
# HELP ginnel_outbound_dropped_packets_total Packets to peers that were dropped.
# TYPE ginnel_outbound_dropped_packets_total counter
ginnel_outbound_dropped_packets_total{reason="no_route"} 5
# HELP ginnel_handshakes_total Handshakes with configured peers.
# TYPE ginnel_handshakes_total counter
ginnel_handshakes_total{result="completed"} 6
ginnel_handshakes_total{result="unanswered"} 7
# HELP ginnel_peers Peers that are configured.
# TYPE ginnel_peers gauge
ginnel_peers{state="direct"} 1
ginnel_peers{state="idle"} 2
# HELP ginnel_health_messages Findings that somebody should look at.
# TYPE ginnel_health_messages gauge
ginnel_health_messages{type="firewall-blocks-overlay"} 1
)");
}

TEST(MetricsText, NamesPeersOnlyWhenToldTo) {
  MetricsSnapshot snapshot = example();
  EXPECT_EQ(to_metrics_text(snapshot).find("ginnel_peer_"), std::string::npos);

  snapshot.peers_by_name = {
      {.name = "a \"phone\"\\\n",
       .public_key = key(1),
       .inbound_bytes = 10,
       .outbound_bytes = 20,
       .last_handshake = UnixTime(1'795'254'093'500ms)},
      {.name = "silent", .public_key = key(2)},
  };
  const std::string text = to_metrics_text(snapshot);

  EXPECT_TRUE(text.ends_with(
      R"(# HELP ginnel_peer_inbound_bytes_total Bytes received from the peer.
# TYPE ginnel_peer_inbound_bytes_total counter
ginnel_peer_inbound_bytes_total{name="a \"phone\"\\\n",public_key="AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="} 10
ginnel_peer_inbound_bytes_total{name="silent",public_key="AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="} 0
# HELP ginnel_peer_outbound_bytes_total Bytes sent to the peer.
# TYPE ginnel_peer_outbound_bytes_total counter
ginnel_peer_outbound_bytes_total{name="a \"phone\"\\\n",public_key="AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="} 20
ginnel_peer_outbound_bytes_total{name="silent",public_key="AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="} 0
# HELP ginnel_peer_last_handshake_seconds When the last handshake was, in seconds since 1970.
# TYPE ginnel_peer_last_handshake_seconds gauge
ginnel_peer_last_handshake_seconds{name="a \"phone\"\\\n",public_key="AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="} 1795254093.5
)")) << text;
}

// The grammar of the exposition format, and its rule that a family's lines stand together.
TEST(MetricsText, IsWhatAScraperReads) {
  MetricsSnapshot snapshot = example();
  snapshot.peers_by_name = {{.name = "gr\xc3\xbc\xc3\x9f", .public_key = key(1)}};
  const std::regex sample(
      R"re(([a-zA-Z_:][a-zA-Z0-9_:]*)(\{([a-zA-Z_][a-zA-Z0-9_]*="([^"\\]|\\[\\"n])*",?)*\})? [0-9.e+-]+)re");
  const std::regex comment(R"(# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) .+)");
  std::istringstream text(to_metrics_text(snapshot));
  std::set<std::string> typed;
  std::string family;
  for (std::string line; std::getline(text, line);) {
    SCOPED_TRACE(line);
    std::smatch match;
    if (std::regex_match(line, match, comment)) {
      family = match[2];
      if (match[1] == "TYPE") {
        EXPECT_TRUE(typed.insert(family).second) << "twice";
      }
    } else {
      ASSERT_TRUE(std::regex_match(line, match, sample));
      EXPECT_EQ(match[1], family);
      EXPECT_TRUE(typed.contains(family));
    }
  }
  EXPECT_EQ(typed.size(), 12u);
}

TEST(MetricsCounters, BookBytesOnThePathThatThePeerHas) {
  MetricsCounters counters;
  wg::PeerStatus roaming = peer(1, "192.0.2.1:1000");
  roaming.rx_bytes = 100;
  roaming.tx_bytes = 200;
  const wg::PeerStatus silent = peer(2, "");
  counters.record(device({roaming, silent}));

  roaming.endpoint = *net::Endpoint::parse("[2001:db8::1]:1000");
  roaming.rx_bytes = 150;
  roaming.tx_bytes = 201;
  counters.record(device({roaming}));
  counters.record(device({roaming}));

  const MetricsSnapshot snapshot = filled(counters);
  EXPECT_EQ(snapshot.traffic.at("direct_ipv4"),
            (PathTraffic{.inbound_bytes = 100, .outbound_bytes = 200}));
  EXPECT_EQ(snapshot.traffic.at("direct_ipv6"),
            (PathTraffic{.inbound_bytes = 50, .outbound_bytes = 1}));
}

TEST(MetricsCounters, NeverFall) {
  MetricsCounters counters;
  wg::PeerStatus busy = peer(1, "192.0.2.1:1000");
  busy.rx_bytes = 100;
  busy.counters = {{"handshake_unanswered", 5}};
  counters.record(device({busy}, {{"drop_bad_tag", 7}}));
  counters.record(device({}));  // The peer is removed,

  busy.rx_bytes = 30;  // made again,
  busy.counters = {{"handshake_unanswered", 1}};
  counters.record(device({busy}, {{"drop_bad_tag", 8}}));
  busy.rx_bytes = 20;  // and its device starts again.
  busy.counters = {{"handshake_unanswered", 2}};
  counters.record(device({busy}, {{"drop_bad_tag", 2}}));

  const MetricsSnapshot snapshot = filled(counters);
  EXPECT_EQ(snapshot.traffic.at("direct_ipv4").inbound_bytes, 150u);
  EXPECT_EQ(snapshot.handshakes, (LabelledCounts{{"unanswered", 7}}));
  EXPECT_EQ(snapshot.inbound_drops, (LabelledCounts{{"bad_tag", 17}}));
}

TEST(MetricsCounters, CountHandshakesThatCompleted) {
  MetricsCounters counters;
  wg::PeerStatus one = peer(1, "192.0.2.1:1000");
  for (const int second : {100, 100, 220, 220, 340}) {
    one.last_handshake = UnixTime(std::chrono::seconds(second));
    counters.record(device({one}));
  }

  EXPECT_EQ(filled(counters).handshakes, (LabelledCounts{{"completed", 3}}));
}

TEST(MetricsCounters, TellTheDirectionsOfDropsApart) {
  MetricsCounters counters;
  counters.record(device({}, {{"drop_bad_tag", 1},
                              {"drop_no_route", 2},
                              {"tun_reads", 3},
                              {"tun_read_too_long", 4},
                              {"tun_write_device_down", 5},
                              {"udp_sends", 6},
                              {"udp_send_buffer_full", 7},
                              {"udp_receives", 8},
                              {"udp_receive_overflows", 9}}));

  const MetricsSnapshot snapshot = filled(counters);
  EXPECT_EQ(
      snapshot.inbound_drops,
      (LabelledCounts{{"bad_tag", 1}, {"tun_write_device_down", 5}, {"udp_receive_overflows", 9}}));
  EXPECT_EQ(
      snapshot.outbound_drops,
      (LabelledCounts{{"no_route", 2}, {"tun_read_too_long", 4}, {"udp_send_buffer_full", 7}}));
}

// The reasons are known here by name only: this breaks when the engine renames one.
TEST(MetricsCounters, KnowTheEnginesOutboundReasons) {
  MetricsCounters counters;
  std::vector<wg::NamedCounter> all;
  for (int i = 0; i < static_cast<int>(wg::Drop::kCount); ++i) {
    all.push_back({"drop_" + std::string(name_of(static_cast<wg::Drop>(i))), 1});
  }
  counters.record(device({}, all));

  const MetricsSnapshot snapshot = filled(counters);
  EXPECT_EQ(snapshot.outbound_drops, (LabelledCounts{{"no_endpoint", 1},
                                                     {"no_route", 1},
                                                     {"oversize", 1},
                                                     {"queue_full", 1},
                                                     {"unanswered", 1}}));
  EXPECT_EQ(snapshot.inbound_drops.size() + snapshot.outbound_drops.size(), all.size());
}

TEST(PeerState, FollowsSessionAndKeepalive) {
  const UnixTime now(std::chrono::seconds(1'795'254'093));
  struct Row {
    std::optional<Duration> handshake_age;
    std::string_view endpoint;
    std::uint16_t keepalive;
    std::string_view state;
  };
  const Row rows[] = {
      {0s, "192.0.2.1:1", 0, "direct"},
      {-5s, "192.0.2.1:1", 0, "direct"},  // The clock was set back.
      {180s - 1ns, "192.0.2.1:1", 25, "direct"},
      {180s, "192.0.2.1:1", 0, "idle"},
      {180s, "192.0.2.1:1", 25, "unreachable"},
      {std::nullopt, "192.0.2.1:1", 25, "unreachable"},
      {std::nullopt, "", 25, "idle"},
      {std::nullopt, "", 0, "idle"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.state);
    wg::PeerStatus status = peer(1, row.endpoint);
    if (row.handshake_age) status.last_handshake = now - *row.handshake_age;
    status.persistent_keepalive_seconds = row.keepalive;
    EXPECT_EQ(name_of(state_of(status, now)), row.state);
  }
}

}  // namespace
}  // namespace ginnel::server
