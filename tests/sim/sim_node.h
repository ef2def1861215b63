// One WireGuard device in the simulation: a control engine and one data worker on shared tables,
// driven as a tunnel service drives them, with simulated time.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "core/wg/data_worker.h"
#include "core/wg/engine.h"
#include "support/seeded_rng.h"

namespace ginnel::sim {

class SimNode {
 public:
  SimNode(std::string name, std::uint64_t seed);

  const std::string& name() const { return name_; }
  const crypto::PublicKey& public_key() const { return public_key_; }
  wg::Engine& engine() { return engine_; }
  wg::DataWorker& worker() { return worker_; }
  wg::SharedTables& tables() { return tables_; }

  void configure(const Now& now, wg::DeviceChange change);
  void set_up(const Now& now, bool up);
  // What the TUN device would have read.
  void send_packet(const Now& now, ByteView packet);
  void receive_datagram(const Now& now, const net::PathAddress& path, ByteView bytes,
                        std::uint8_t ecn = 0);
  void handle_timeout(const Now& now);
  MonoTime next_timeout() const { return engine_.next_timeout(); }

  struct Outgoing {
    net::PathAddress path;
    std::vector<std::uint8_t> bytes;
    std::uint8_t ecn = 0;
  };
  std::deque<Outgoing> outgoing;                    // For the network to carry.
  std::deque<std::vector<std::uint8_t>> delivered;  // What the TUN device would have got.
  std::vector<wg::EngineEvent> events;

  std::size_t count(wg::EngineEvent::Kind kind) const;
  std::uint64_t drops(wg::Drop drop) const {
    return worker_.drops().of(drop) + engine_.drops().of(drop);
  }
  wg::PeerStatus peer_status(const crypto::PublicKey& key) const;

 private:
  void settle(const Now& now);

  std::string name_;
  test::SeededRng rng_;
  wg::SharedTables tables_;
  wg::Engine engine_;
  wg::DataWorker worker_;
  crypto::PublicKey public_key_;
  net::PacketBatch batch_;
  wg::ControlOutbox outbox_;
};

}  // namespace ginnel::sim
