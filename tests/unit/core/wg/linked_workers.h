// Two data workers whose sessions are made by hand: what the data path does, without handshakes.
// `near` sends to peers that all live in `far`; peer i has 10.0.i.0/24, and near is
// 10.9.i.0/24 to it.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "core/wg/data_worker.h"
#include "support/seeded_rng.h"

namespace ginnel::wg {

class LinkedWorkers {
 public:
  // What both ends of a session agree on.
  struct SessionPair {
    Session* near = nullptr;
    Session* far = nullptr;
  };

  struct End {
    End(std::uint64_t seed, std::size_t workers, crypto::AeadLibrary library)
        : rng(seed), tables(rng, workers), worker(tables, 0, crypto::make_aead_batch(library)) {}
    test::SeededRng rng;
    SharedTables tables;
    std::vector<std::unique_ptr<PeerPath>> paths;
    DataWorker worker;

    std::vector<WorkerEvent> take_events() {
      std::vector<WorkerEvent> events;
      tables.control.events.drain(events);
      return events;
    }
    void post(WorkerCommand::Kind kind, PeerSlot peer) {
      tables.worker_mailboxes.front()->post({kind, peer});
    }
  };

  static constexpr MonoTime kStart = MonoTime() + 1h;
  inline static const net::PathAddress kNearAddress{
      .remote = {.address = net::Address::v4({192, 0, 2, 1}), .port = 1000},
      .local = {},
      .interface = 0};
  inline static const net::PathAddress kFarAddress{
      .remote = {.address = net::Address::v4({192, 0, 2, 2}), .port = 2000},
      .local = {},
      .interface = 0};

  explicit LinkedWorkers(std::uint32_t peers = 1,
                         crypto::AeadLibrary near_library = crypto::AeadLibrary::OpenSsl,
                         crypto::AeadLibrary far_library = crypto::AeadLibrary::OpenSsl)
      : near(1, 1, near_library), far(2, 1, far_library) {
    for (std::uint32_t i = 0; i < peers; ++i) {
      add_peer(near, i, net::Address::v4({10, 0, static_cast<std::uint8_t>(i), 0}), 24,
               &kFarAddress);
      add_peer(far, i, net::Address::v4({10, 9, static_cast<std::uint8_t>(i), 0}), 24,
               &kNearAddress);
    }
  }

  // Makes a session of peer `i` and puts it to use. Near is its initiator.
  SessionPair connect(std::uint32_t i, MonoTime created = kStart) {
    std::array<std::uint8_t, 32> near_key, far_key;
    keys_.fill(near_key);
    keys_.fill(far_key);
    const PeerSlot slot{i};
    const SessionIndex near_index = near.tables.sessions.reserve(slot).value();
    const SessionIndex far_index = far.tables.sessions.reserve(slot).value();
    SessionPair pair;
    pair.near = &publish(near, slot, near_index, far_index, true, created, near_key, far_key);
    pair.far = &publish(far, slot, far_index, near_index, false, created, far_key, near_key);
    near.paths[i]->current.store(pair.near);
    far.paths[i]->current.store(pair.far);
    return pair;
  }

  // An IPv4 packet from near's address for peer `i` to that peer, with a number as its payload.
  static std::vector<std::uint8_t> packet(std::uint32_t i, std::uint64_t number,
                                          std::size_t size = 64, std::uint8_t ecn = 0) {
    std::vector<std::uint8_t> bytes(std::max<std::size_t>(size, 28), 0);
    const ByteSpan all(bytes);
    bytes[0] = 0x45;
    bytes[1] = ecn;
    store<Be16>(all.subspan(2), static_cast<std::uint16_t>(bytes.size()));
    bytes[8] = 64;
    bytes[9] = 253;
    const std::array<std::uint8_t, 8> addresses = {10, 9, static_cast<std::uint8_t>(i), 1,
                                                   10, 0, static_cast<std::uint8_t>(i), 1};
    std::copy(addresses.begin(), addresses.end(), bytes.begin() + 12);
    store<Be64>(all.subspan(20), number);
    return bytes;
  }
  static std::uint64_t number_in(ByteView packet) { return load<Be64>(packet.subspan(20)); }

  // Appends a packet as the TUN device does.
  static void append(net::PacketBatch& batch, ByteView packet) {
    const ByteSpan room = batch.append(packet.size());
    ASSERT_EQ(room.size(), packet.size());
    std::copy(packet.begin(), packet.end(), room.begin());
    batch.set_ecn(batch.size() - 1, packet[1] & 3);
  }

  // What `near` makes of a batch, as copies that the test may keep and damage.
  using Wire = std::vector<std::vector<std::uint8_t>>;
  Wire seal(MonoTime now, net::PacketBatch& batch) {
    std::vector<net::Datagram> sealed;
    near.worker.begin_turn();
    near.worker.seal(now, batch, sealed);
    Wire wire = copies(sealed);
    batch.clear();
    near.worker.end_turn();
    return wire;
  }
  Wire seal_one(MonoTime now, ByteView packet) {
    net::PacketBatch batch;
    append(batch, packet);
    return seal(now, batch);
  }
  // Carries out what control has told near, and sends what waited.
  Wire run_commands(MonoTime now, unsigned mtu = net::kDefaultMtu) {
    Wire wire;
    net::PacketBatch batch(mtu);
    near.worker.begin_turn();
    near.worker.handle_commands();
    for (int rounds = 0; near.worker.load_staged(batch); ++rounds) {
      std::vector<net::Datagram> sealed;
      near.worker.seal(now, batch, sealed);
      for (auto& bytes : copies(sealed)) wire.push_back(std::move(bytes));
      batch.clear();
      if (rounds > 10'000) {
        ADD_FAILURE() << "the staged packets never end";
        break;
      }
    }
    near.worker.end_turn();
    return wire;
  }

  // What `far` delivers of them, in order.
  std::vector<std::vector<std::uint8_t>> open(MonoTime now, Wire wire, std::uint8_t ecn = 0,
                                              const net::PathAddress& from = kNearAddress) {
    std::vector<net::Datagram> datagrams;
    for (auto& bytes : wire) datagrams.push_back({.bytes = bytes, .path = &from, .ecn = ecn});
    std::vector<ByteSpan> packets;
    far.worker.begin_turn();
    far.worker.open(now, datagrams, packets);
    std::vector<std::vector<std::uint8_t>> delivered;
    for (const ByteSpan packet : packets) delivered.emplace_back(packet.begin(), packet.end());
    far.worker.end_turn();
    return delivered;
  }

  End near;
  End far;

 private:
  static Wire copies(const std::vector<net::Datagram>& datagrams) {
    Wire wire;
    for (const net::Datagram& d : datagrams) wire.emplace_back(d.bytes.begin(), d.bytes.end());
    return wire;
  }

  static void add_peer(End& end, std::uint32_t i, const net::Address& network, unsigned length,
                       const net::PathAddress* endpoint) {
    const PeerSlot slot{i};
    end.paths.push_back(std::make_unique<PeerPath>(slot));
    end.paths.back()->endpoint.store(endpoint);
    end.tables.paths.set(slot, end.paths.back().get());
    ASSERT_TRUE(end.tables.allowed_ips.insert(net::Prefix::masking(network, length), slot));
  }

  static Session& publish(End& end, PeerSlot slot, SessionIndex local, SessionIndex remote,
                          bool is_initiator, MonoTime created,
                          const std::array<std::uint8_t, 32>& send,
                          const std::array<std::uint8_t, 32>& receive) {
    return end.tables.sessions.publish(std::make_unique<Session>(
        SessionSetup{.local_index = local,
                     .remote_index = remote,
                     .peer = slot,
                     .path = end.paths[static_cast<std::uint32_t>(slot)].get(),
                     .is_initiator = is_initiator,
                     .created = created},
        crypto::AeadKey(send), crypto::AeadKey(receive)));
  }

  test::SeededRng keys_{3};
};

}  // namespace ginnel::wg
