// Two devices whose data workers run on threads of their own while one control thread shakes hands,
// changes configurations and lets time pass. What it proves shows under the thread sanitizer.
#include <thread>

#include "core/wg/engine.h"
#include "unit/core/wg/linked_workers.h"

namespace ginnel::wg {
namespace {

constexpr std::size_t kWorkers = 2;
constexpr std::uint64_t kEnoughPackets = 5000;  // For each thread to get through.
constexpr int kEnoughSessions = 10;             // Both ends counted.
constexpr int kMaxTurns = 2'000'000;

struct Device {
  explicit Device(std::uint64_t seed) : rng(seed), tables(rng, kWorkers), engine(tables, rng) {
    for (std::size_t i = 0; i < kWorkers; ++i) {
      workers.push_back(std::make_unique<DataWorker>(
          tables, i, crypto::make_aead_batch(crypto::AeadLibrary::OpenSsl)));
    }
  }
  test::SeededRng rng;
  SharedTables tables;
  Engine engine;
  std::vector<std::unique_ptr<DataWorker>> workers;
  crypto::PublicKey key;
  ControlOutbox out;
};

net::PathAddress path_of(std::uint8_t number) {
  return {.remote = {.address = net::Address::v4({192, 0, 2, number}), .port = 1},
          .local = {},
          .interface = 0};
}

class Threads {
 public:
  Threads() : left_(1), right_(2) {
    for (Device* device : {&left_, &right_}) {
      auto key = crypto::PrivateKey::generate(device->rng);
      device->key = key.public_key();
      DeviceChange change;
      change.private_key = std::move(key);
      device->engine.apply(now(), std::move(change), device->out);
    }
    introduce(left_, right_, 2);
    introduce(right_, left_, 1);
  }

  void run() {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < kWorkers; ++i) {
      threads.emplace_back([this, i](std::stop_token stop) { carry(i, stop); });
    }
    int turn = 0;
    while (!enough() && turn < kMaxTurns) control(++turn);
    threads.clear();
    EXPECT_TRUE(enough()) << delivered_[0] << " and " << delivered_[1] << " packets, " << sessions_
                          << " sessions";
  }

 private:
  Now now() const {
    const Duration passed(time_.load(std::memory_order_relaxed));
    return {MonoTime() + 1h + passed, UnixTime() + std::chrono::hours(480'000) + passed};
  }
  bool enough() const {
    return delivered_[0] >= kEnoughPackets && delivered_[1] >= kEnoughPackets &&
           sessions_ >= kEnoughSessions;
  }

  void introduce(Device& who, const Device& about, std::uint8_t number) {
    PeerChange peer{.public_key = about.key};
    peer.endpoint = path_of(number).remote;
    peer.replace_allowed_ips = true;
    peer.allowed_ips.push_back({.prefix = net::Prefix::host(net::Address::v4({10, 0, 0, number}))});
    DeviceChange change;
    change.peers.push_back(std::move(peer));
    who.engine.apply(now(), std::move(change), who.out);
  }

  // The one thread that owns both engines.
  void control(int turn) {
    for (auto [from, to, number] : {std::tuple(&left_, &right_, std::uint8_t{1}),
                                    std::tuple(&right_, &left_, std::uint8_t{2})}) {
      from->engine.handle_mailbox(now(), from->out);
      from->engine.handle_timeout(now(), from->out);
      for (const ControlDatagram& datagram : from->out.datagrams) {
        if (datagram.bytes[0] == TransportView::kType) continue;  // A keepalive is lost.
        HandshakeDatagram copy;
        copy.path = path_of(number);
        copy.size = datagram.size;
        copy.bytes = datagram.bytes;
        to->tables.control.handshakes.push(std::move(copy));
      }
      for (const EngineEvent& event : from->out.events) {
        sessions_ += event.kind == EngineEvent::Kind::SessionMade;
      }
      from->out.clear();
    }
    time_.fetch_add(Duration(10ms).count(), std::memory_order_relaxed);
    if (turn % 50 == 0) change_something(turn / 50);
    std::this_thread::yield();
  }

  void change_something(int turn) {
    switch (turn % 5) {
      case 0:
        return introduce(left_, right_, 2);
      case 1:
        return add_and_remove_another();
      case 2:
        return move_prefix();
      case 3:
        time_.fetch_add(Duration(60s).count(), std::memory_order_relaxed);
        return;
      default:
        static_cast<void>(left_.engine.status());
        static_cast<void>(right_.engine.status());
    }
  }
  void add_and_remove_another() {
    std::array<std::uint8_t, crypto::kKeySize> key;
    left_.rng.fill(key);
    for (const bool remove : {false, true}) {
      DeviceChange change;
      PeerChange& peer = change.peers.emplace_back();
      peer.public_key = crypto::PublicKey(key);
      peer.remove = remove;
      peer.allowed_ips.push_back({.prefix = net::Prefix::parse("10.0.0.0/24").value()});
      left_.engine.apply(now(), std::move(change), left_.out);
    }
  }
  // Away and back: packets in between have nowhere to go.
  void move_prefix() {
    for (const bool remove : {true, false}) {
      DeviceChange change;
      PeerChange& peer = change.peers.emplace_back();
      peer.public_key = left_.key;
      peer.allowed_ips.push_back(
          {.prefix = net::Prefix::parse("10.0.0.1/32").value(), .remove = remove});
      right_.engine.apply(now(), std::move(change), right_.out);
    }
  }

  // What one data thread does, for both devices in turn.
  void carry(std::size_t index, const std::stop_token& stop) {
    net::PacketBatch batch;
    std::vector<net::Datagram> sealed;
    while (!stop.stop_requested()) {
      pass(left_, right_, 1, 2, index, batch, sealed);
      pass(right_, left_, 2, 1, index, batch, sealed);
      std::this_thread::yield();
    }
  }
  void pass(Device& from, Device& to, std::uint8_t from_number, std::uint8_t to_number,
            std::size_t index, net::PacketBatch& batch, std::vector<net::Datagram>& sealed) {
    const MonoTime time = now().mono;
    const net::PathAddress path = path_of(from_number);
    DataWorker& sender = *from.workers[index];
    DataWorker& receiver = *to.workers[index];
    sender.begin_turn();
    sender.handle_commands();
    for (bool staged = true; staged;) {
      staged = sender.load_staged(batch);
      for (int i = 0; i < 8 && !staged; ++i) {
        auto packet = LinkedWorkers::packet(0, 1, 100);
        packet[12] = packet[16] = 10;
        packet[13] = packet[14] = packet[17] = packet[18] = 0;
        packet[15] = from_number;
        packet[19] = to_number;
        LinkedWorkers::append(batch, packet);
      }
      sender.seal(time, batch, sealed);
      for (net::Datagram& datagram : sealed) datagram.path = &path;
      std::vector<ByteSpan> packets;
      receiver.begin_turn();
      receiver.open(time, sealed, packets);
      delivered_[index].fetch_add(packets.size(), std::memory_order_relaxed);
      receiver.end_turn();
      sealed.clear();
      batch.clear();
    }
    sender.end_turn();
  }

  std::atomic<std::int64_t> time_{0};
  Device left_;
  Device right_;
  std::array<std::atomic<std::uint64_t>, kWorkers> delivered_{};
  int sessions_ = 0;  // The control thread's.
};

TEST(Threads, WorkersCarryTrafficWhileControlChangesEverything) {
  Threads threads;
  threads.run();
}

}  // namespace
}  // namespace ginnel::wg
