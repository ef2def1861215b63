#include "sim/simulation.h"

#include <gtest/gtest.h>

namespace ginnel::sim {
namespace {

constexpr std::size_t kOuterHeaders = 48;  // IPv6 and UDP.
constexpr Duration kNatTimeout = 30s;      // Since the last packet of either direction.

}  // namespace

Simulation::Simulation(std::uint64_t seed, LinkQuality quality) : rng_(seed), quality_(quality) {}

SimNode& Simulation::add_node(const std::string& name) {
  auto place = std::make_unique<Place>();
  place->node = std::make_unique<SimNode>(name, rng_.number<std::uint64_t>());
  place->endpoint = {.address = net::Address::v4({203, 0, next_network_++, 1}), .port = 51820};
  places_.push_back(std::move(place));
  return *places_.back()->node;
}

SimNode& Simulation::add_node_behind_nat(const std::string& name) {
  SimNode& node = add_node(name);
  places_.back()->behind_nat = true;
  rebind(node);
  return node;
}

void Simulation::rebind(const SimNode& node) {
  Place& place = place_of(node);
  place.endpoint.port = next_port_++;
  place.nat_open.clear();
}

void Simulation::move(const SimNode& node) {
  place_of(node).endpoint.address = net::Address::v4({203, 0, next_network_++, 1});
}

net::Endpoint Simulation::endpoint_of(const SimNode& node) const { return place_of(node).endpoint; }

net::Endpoint Simulation::give_v6(const SimNode& node) {
  const net::Address network = net::Address::parse("2001:db8::").value();
  return place_of(node).v6.emplace(
      net::Endpoint{.address = network.plus(next_network_++), .port = 51820});
}

void Simulation::set_quality_from(const SimNode& node, const LinkQuality& quality) {
  place_of(node).quality = quality;
}

Simulation::Place& Simulation::place_of(const SimNode& node) {
  for (const auto& place : places_) {
    if (place->node.get() == &node) return *place;
  }
  std::abort();
}

const Simulation::Place& Simulation::place_of(const SimNode& node) const {
  return const_cast<Simulation*>(this)->place_of(node);
}

void Simulation::set_clock_of(const SimNode& node, Duration ahead) {
  place_of(node).clock_ahead = ahead;
}

Now Simulation::now_at(const Place& place) const {
  return {now_.mono, now_.unix + place.clock_ahead};
}

void Simulation::introduce(SimNode& a, SimNode& b, bool a_knows_endpoint, bool b_knows_endpoint,
                           std::optional<std::uint64_t> psk_seed) {
  const auto tell = [&](SimNode& who, const SimNode& about, bool knows_endpoint) {
    wg::PeerChange peer{.public_key = about.public_key()};
    peer.allowed_ips.push_back({.prefix = net::Prefix::host(inner_v4(about))});
    peer.allowed_ips.push_back({.prefix = net::Prefix::host(inner_v6(about))});
    if (knows_endpoint) peer.endpoint = endpoint_of(about);
    if (psk_seed) {
      test::SeededRng psk_rng(*psk_seed);
      std::array<std::uint8_t, 32> bytes;
      psk_rng.fill(bytes);
      peer.preshared_key.emplace(std::span<const std::uint8_t, 32>(bytes));
    }
    wg::DeviceChange change;
    change.peers.push_back(std::move(peer));
    who.configure(now_at(place_of(who)), std::move(change));
  };
  tell(a, b, a_knows_endpoint);
  tell(b, a, b_knows_endpoint);
  collect(place_of(a));
  collect(place_of(b));
}

void Simulation::configure(SimNode& node, wg::DeviceChange change) {
  node.configure(now_at(place_of(node)), std::move(change));
  collect(place_of(node));
}

net::Address Simulation::inner_v4(const SimNode& node) const {
  const auto it = std::find_if(places_.begin(), places_.end(),
                               [&](const auto& place) { return place->node.get() == &node; });
  return net::Address::v4({10, 0, 0, 0}).plus(std::uint64_t(it - places_.begin()) + 1);
}

net::Address Simulation::inner_v6(const SimNode& node) const {
  const net::Address address = inner_v4(node);
  const ByteView v4 = address.bytes();
  return net::Address::parse("fd00::").value().plus(std::uint64_t(v4[2]) * 256 + v4[3]);
}

std::vector<std::uint8_t> Simulation::packet(const SimNode& from, const SimNode& to,
                                             std::uint64_t number, std::size_t size,
                                             bool v6) const {
  const std::size_t header = v6 ? 40 : 20;
  std::vector<std::uint8_t> bytes(std::max(size, header + 8), 0);
  const net::Address source = v6 ? inner_v6(from) : inner_v4(from);
  const net::Address target = v6 ? inner_v6(to) : inner_v4(to);
  const ByteSpan all(bytes);
  if (v6) {
    bytes[0] = 0x60;
    store<Be16>(all.subspan(4), static_cast<std::uint16_t>(bytes.size() - 40));
    bytes[6] = 59;  // No next header.
    bytes[7] = 64;
  } else {
    bytes[0] = 0x45;
    store<Be16>(all.subspan(2), static_cast<std::uint16_t>(bytes.size()));
    bytes[8] = 64;
    bytes[9] = 253;  // For experiments (RFC 3692).
  }
  std::ranges::copy(source.bytes(), all.subspan(v6 ? 8 : 12).begin());
  std::ranges::copy(target.bytes(), all.subspan(v6 ? 24 : 16).begin());
  store<Be64>(all.subspan(header), number);
  return bytes;
}

void Simulation::send(SimNode& from, const SimNode& to, std::uint64_t number, std::size_t size,
                      bool v6) {
  send_packet(from, packet(from, to, number, size, v6));
}

void Simulation::send_packet(SimNode& from, ByteView bytes) {
  from.send_packet(now_at(place_of(from)), bytes);
  collect(place_of(from));
}

void Simulation::collect(Place& place) {
  while (!place.node->outgoing.empty()) {
    const SimNode::Outgoing datagram = std::move(place.node->outgoing.front());
    place.node->outgoing.pop_front();
    launch(place, datagram);
  }
}

void Simulation::launch(Place& from, const SimNode::Outgoing& datagram) {
  if (on_datagram) on_datagram(*from.node, datagram.path.remote, datagram.bytes);
  mix(datagram.bytes);
  const LinkQuality& quality = from.quality ? *from.quality : quality_;
  if (from.behind_nat) from.nat_open[datagram.path.remote] = now_.mono + kNatTimeout;
  if (datagram.bytes.size() + kOuterHeaders > quality.mtu) return;
  const bool over_v6 = from.v6 && datagram.path.remote.address.family() == net::Family::V6;
  const net::Endpoint source = over_v6 ? *from.v6 : from.endpoint;
  const int copies = rng_.below(1000) < quality.duplicated ? 2 : 1;
  for (int i = 0; i < copies; ++i) {
    if (rng_.below(1000) < quality.lost) continue;
    Flight flight{source, datagram.path.remote, datagram.bytes, datagram.ecn};
    if (rng_.below(1000) < quality.bit_flipped) {
      const std::uint64_t bit = rng_.below(flight.bytes.size() * 8);
      flight.bytes[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
    }
    const auto spread = quality.max_delay - quality.min_delay;
    const Duration delay =
        quality.min_delay +
        Duration(spread > 0s ? std::int64_t(rng_.below(std::uint64_t(spread.count()))) : 0);
    in_flight_.emplace(now_.mono + delay, std::move(flight));
  }
}

void Simulation::land(const Flight& flight) {
  for (const auto& place : places_) {
    if (place->endpoint != flight.to && place->v6 != flight.to) continue;
    if (place->behind_nat) {
      const auto open = place->nat_open.find(flight.from);
      if (open == place->nat_open.end() || open->second < now_.mono) return;
      open->second = now_.mono + kNatTimeout;
    }
    place->node->receive_datagram(now_at(*place),
                                  {.remote = flight.from, .local = {}, .interface = 0},
                                  flight.bytes, flight.ecn);
    collect(*place);
    return;
  }
}

void Simulation::inject(SimNode& to, const net::Endpoint& from, ByteView bytes) {
  to.receive_datagram(now_at(place_of(to)), {.remote = from, .local = {}, .interface = 0}, bytes);
  collect(place_of(to));
}

// Moves time to the next thing that happens, if that is not after `until`.
bool Simulation::step(MonoTime until) {
  MonoTime next = in_flight_.empty() ? kNever : in_flight_.begin()->first;
  for (const auto& place : places_) next = std::min(next, place->node->next_timeout());
  const MonoTime then = std::max(now_.mono, std::min(next, until));
  now_.unix += then - now_.mono;
  now_.mono = then;
  if (next > until) return false;

  while (!in_flight_.empty() && in_flight_.begin()->first <= now_.mono) {
    const Flight flight = std::move(in_flight_.begin()->second);
    in_flight_.erase(in_flight_.begin());
    land(flight);
  }
  for (const auto& place : places_) {
    if (place->node->next_timeout() > now_.mono) continue;
    place->node->handle_timeout(now_at(*place));
    collect(*place);
    // A deadline that does not move would stop time for ever.
    EXPECT_GT(place->node->next_timeout(), now_.mono) << place->node->name();
    if (place->node->next_timeout() <= now_.mono) std::abort();
  }
  return true;
}

void Simulation::run_for(Duration duration) {
  const MonoTime until = now_.mono + duration;
  while (step(until)) {
  }
}

bool Simulation::run_until(const std::function<bool()>& done, Duration limit) {
  const MonoTime until = now_.mono + limit;
  while (!done()) {
    if (!step(until)) return done();
  }
  return true;
}

void Simulation::mix(ByteView bytes) {
  constexpr std::uint64_t kPrime = 0x100000001b3;  // FNV-1a.
  const auto time = static_cast<std::uint64_t>(now_.mono.time_since_epoch().count());
  digest_ = (digest_ ^ time) * kPrime;
  for (const std::uint8_t byte : bytes) digest_ = (digest_ ^ byte) * kPrime;
}

}  // namespace ginnel::sim
