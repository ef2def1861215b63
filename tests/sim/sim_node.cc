#include "sim/sim_node.h"

#include <gtest/gtest.h>

namespace ginnel::sim {

SimNode::SimNode(std::string name, std::uint64_t seed)
    : name_(std::move(name)),
      rng_(seed),
      tables_(rng_, 1),
      engine_(tables_, rng_),
      worker_(tables_, 0, crypto::make_aead_batch(crypto::AeadLibrary::OpenSsl)) {
  wg::DeviceChange change;
  auto key = crypto::PrivateKey::generate(rng_);
  public_key_ = key.public_key();
  change.private_key = std::move(key);
  configure({}, std::move(change));
}

void SimNode::configure(const Now& now, wg::DeviceChange change) {
  const Status possible = engine_.check(change);
  ASSERT_TRUE(possible) << possible.error().message;
  engine_.apply(now, std::move(change), outbox_);
  settle(now);
}

void SimNode::set_up(const Now& now, bool up) {
  engine_.set_up(now, up, outbox_);
  settle(now);
}

void SimNode::send_packet(const Now& now, ByteView packet) {
  std::vector<net::Datagram> sealed;
  worker_.begin_turn();
  const ByteSpan room = batch_.append(packet.size());
  std::copy(packet.begin(), packet.end(), room.begin());
  worker_.seal(now.mono, batch_, sealed);
  for (const net::Datagram& d : sealed) {
    outgoing.push_back({*d.path, {d.bytes.begin(), d.bytes.end()}, d.ecn});
  }
  batch_.clear();
  worker_.end_turn();
  settle(now);
}

void SimNode::receive_datagram(const Now& now, const net::PathAddress& path, ByteView bytes,
                               std::uint8_t ecn) {
  std::vector<std::uint8_t> copy(bytes.begin(), bytes.end());
  net::Datagram datagram{.bytes = copy, .path = &path, .ecn = ecn};
  std::vector<ByteSpan> packets;
  worker_.begin_turn();
  worker_.open(now.mono, {&datagram, 1}, packets);
  for (const ByteSpan packet : packets) delivered.emplace_back(packet.begin(), packet.end());
  worker_.end_turn();
  settle(now);
}

void SimNode::handle_timeout(const Now& now) {
  engine_.handle_timeout(now, outbox_);
  settle(now);
}

// Runs engine and worker until neither has anything to say to the other.
void SimNode::settle(const Now& now) {
  for (int round = 0; round < 1000; ++round) {
    const bool woken = worker_.take_wake_control();
    const bool more = engine_.handle_mailbox(now, outbox_);
    for (const wg::ControlDatagram& d : outbox_.datagrams) {
      outgoing.push_back({d.path, {d.view().begin(), d.view().end()}, 0});
    }
    events.insert(events.end(), outbox_.events.begin(), outbox_.events.end());
    const bool wake_worker = outbox_.wake_workers;
    outbox_.clear();
    if (wake_worker) {
      std::vector<net::Datagram> sealed;
      worker_.begin_turn();
      worker_.handle_commands();
      while (worker_.load_staged(batch_)) {
        worker_.seal(now.mono, batch_, sealed);
        for (const net::Datagram& d : sealed) {
          outgoing.push_back({*d.path, {d.bytes.begin(), d.bytes.end()}, d.ecn});
        }
        sealed.clear();
        batch_.clear();
      }
      worker_.end_turn();
    }
    if (!woken && !more && !wake_worker) return;
  }
  FAIL() << name_ << " does not settle";
}

std::size_t SimNode::count(wg::EngineEvent::Kind kind) const {
  return std::size_t(std::count_if(events.begin(), events.end(),
                                   [kind](const wg::EngineEvent& e) { return e.kind == kind; }));
}

wg::PeerStatus SimNode::peer_status(const crypto::PublicKey& key) const {
  wg::DeviceStatus status = engine_.status();
  for (wg::PeerStatus& peer : status.peers) {
    if (peer.public_key == key) return std::move(peer);
  }
  ADD_FAILURE() << name_ << " has no such peer";
  return {};
}

}  // namespace ginnel::sim
