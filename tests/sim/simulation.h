// A seeded, unkind network in simulated time. Hours of protocol life run in seconds, and the same
// seed gives the same bytes at the same moments.
#pragma once

#include <functional>
#include <map>
#include <memory>

#include "sim/sim_node.h"

namespace ginnel::sim {

// Chances are per thousand datagrams. The default is unkind; kCleanLink is the special case.
struct LinkQuality {
  unsigned lost = 50;
  unsigned duplicated = 20;
  unsigned bit_flipped = 5;
  Duration min_delay = 5ms;
  Duration max_delay = 60ms;  // A spread reorders.
  std::size_t mtu = 1500;     // Larger datagrams (with 48 bytes of headers) are lost.
};
inline constexpr LinkQuality kCleanLink{.lost = 0,
                                        .duplicated = 0,
                                        .bit_flipped = 0,
                                        .min_delay = 10ms,
                                        .max_delay = 10ms,
                                        .mtu = 65'535};

class Simulation {
 public:
  explicit Simulation(std::uint64_t seed, LinkQuality quality = {});

  // A node with a public address of its own.
  SimNode& add_node(const std::string& name);
  // A node behind a NAT: only answers to what it sent get in, and its public port changes when
  // rebind() is called.
  SimNode& add_node_behind_nat(const std::string& name);
  void rebind(const SimNode& node);
  // Moves a node to another public address, as a phone that changes networks.
  void move(const SimNode& node);
  net::Endpoint endpoint_of(const SimNode& node) const;
  // Gives it an IPv6 address beside its IPv4 one, and says where; it sends from the one that fits.
  net::Endpoint give_v6(const SimNode& node);
  void set_quality(const LinkQuality& quality) { quality_ = quality; }
  void set_quality_from(const SimNode& node, const LinkQuality& quality);

  // Sets a node's calendar this far ahead of (below zero: behind) everybody else's.
  void set_clock_of(const SimNode& node, Duration ahead);

  // Makes the two know each other: each allows the other's /32 and /128.
  void introduce(SimNode& a, SimNode& b, bool a_knows_endpoint, bool b_knows_endpoint,
                 std::optional<std::uint64_t> psk_seed = std::nullopt);

  // As SimNode::configure(), and carries what the node has to say about it.
  void configure(SimNode& node, wg::DeviceChange change);

  // Inner addresses by the order in which nodes were added: 10.0.0.1, fd00::1, ...
  net::Address inner_v4(const SimNode& node) const;
  net::Address inner_v6(const SimNode& node) const;
  // A minimal IP packet whose payload starts with `number`.
  std::vector<std::uint8_t> packet(const SimNode& from, const SimNode& to, std::uint64_t number,
                                   std::size_t size = 64, bool v6 = false) const;
  void send(SimNode& from, const SimNode& to, std::uint64_t number, std::size_t size = 64,
            bool v6 = false);
  void send_packet(SimNode& from, ByteView bytes);

  void run_for(Duration duration);
  // Returns false when `limit` passes first.
  bool run_until(const std::function<bool()>& done, Duration limit);
  Now now() const { return now_; }

  // Hands a datagram to a node at once, as an attacker on the path could.
  void inject(SimNode& to, const net::Endpoint& from, ByteView bytes);
  // Sees every datagram as it is sent.
  std::function<void(const SimNode& from, const net::Endpoint& to, ByteView bytes)> on_datagram;

  // Changes with every byte and moment that the network carried.
  std::uint64_t digest() const { return digest_; }

 private:
  struct Place {
    std::unique_ptr<SimNode> node;
    net::Endpoint endpoint;
    std::optional<net::Endpoint> v6;
    bool behind_nat = false;
    std::map<net::Endpoint, MonoTime> nat_open;  // Remote ends that may answer, until when.
    std::optional<LinkQuality> quality;
    Duration clock_ahead{};
  };
  struct Flight {
    net::Endpoint from;
    net::Endpoint to;
    std::vector<std::uint8_t> bytes;
    std::uint8_t ecn;
  };

  Place& place_of(const SimNode& node);
  const Place& place_of(const SimNode& node) const;
  Now now_at(const Place& place) const;
  void collect(Place& place);
  void launch(Place& from, const SimNode::Outgoing& datagram);
  void land(const Flight& flight);
  bool step(MonoTime until);
  void mix(ByteView bytes);

  test::SeededRng rng_;
  LinkQuality quality_;
  Now now_{MonoTime{} + 1h, UnixTime{} + std::chrono::hours(480'000)};
  std::vector<std::unique_ptr<Place>> places_;
  std::multimap<MonoTime, Flight> in_flight_;
  std::uint16_t next_port_ = 40'000;
  std::uint8_t next_network_ = 1;
  std::uint64_t digest_ = 0xcbf29ce484222325;
};

}  // namespace ginnel::sim
