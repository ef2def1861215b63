// What the protocol costs, in operations and bytes instead of time: these are the same on every
// machine.
#include <dlfcn.h>
#include <openssl/evp.h>

#include "core/wg/engine.h"
#include "cost/core/wg/allocation_counter.h"
#include "unit/core/wg/linked_workers.h"

namespace {

std::uint64_t multiplications = 0;

}  // namespace

// Every operation on Curve25519 ends here; OpenSSL's own does the work.
extern "C" int EVP_PKEY_derive(EVP_PKEY_CTX* context, unsigned char* key, size_t* size) {
  ++multiplications;
  using Derive = int (*)(EVP_PKEY_CTX*, unsigned char*, size_t*);
  static const auto derive = reinterpret_cast<Derive>(dlsym(RTLD_NEXT, "EVP_PKEY_derive"));
  return derive(context, key, size);
}

namespace ginnel::wg {
namespace {

using test::Allocations;

constexpr Now kNow{MonoTime() + 1h, UnixTime() + std::chrono::hours(480'000)};

class Device {
 public:
  explicit Device(std::uint64_t seed) : rng_(seed), tables_(rng_, 1), engine_(tables_, rng_) {
    auto key = crypto::PrivateKey::generate(rng_);
    public_key_ = key.public_key();
    DeviceChange change;
    change.private_key = std::move(key);
    apply(std::move(change));
  }
  const crypto::PublicKey& public_key() const { return public_key_; }
  Engine& engine() { return engine_; }
  ControlOutbox& out() { return out_; }

  void apply(DeviceChange change) {
    out_.clear();
    ASSERT_TRUE(engine_.check(change));
    engine_.apply(kNow, std::move(change), out_);
  }
  // Whether the device has something to say to what it received.
  void receive(const Now& now, const ControlDatagram& datagram) {
    HandshakeDatagram copy;
    copy.path = datagram.path;
    copy.size = datagram.size;
    copy.bytes = datagram.bytes;
    tables_.control.handshakes.push(std::move(copy));
    out_.clear();
    engine_.handle_mailbox(now, out_);
  }
  void ask_for_handshake(const Now& now) {
    tables_.control.events.push({.kind = WorkerEvent::Kind::NeedHandshake, .peer = PeerSlot{0}});
    out_.clear();
    engine_.handle_mailbox(now, out_);
  }

 private:
  test::SeededRng rng_;
  SharedTables tables_;
  Engine engine_;
  ControlOutbox out_;
  crypto::PublicKey public_key_;
};

DeviceChange many_peers(std::uint32_t count) {
  test::SeededRng rng(9);
  DeviceChange change;
  change.peers.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    PeerChange& peer = change.peers.emplace_back();
    std::array<std::uint8_t, crypto::kKeySize> key;
    rng.fill(key);
    peer.public_key = crypto::PublicKey(key);
    peer.allowed_ips.push_back(
        {.prefix = net::Prefix::host(net::Address::v4({10, 0, 0, 0}).plus(i))});
  }
  return change;
}

TEST(Cost, APeerThatNeverSpeaksCostsNoCurveOperation) {
  Device device(1);
  DeviceChange change = many_peers(10'000);
  multiplications = 0;
  device.apply(std::move(change));
  EXPECT_EQ(device.engine().peer_count(), 10'000u);
  EXPECT_EQ(multiplications, 0u);

  static_cast<void>(device.engine().status());
  EXPECT_EQ(multiplications, 0u);
}

TEST(Cost, APeerThatNeverSpeaksCostsFewBytes) {
  constexpr std::uint32_t kPeers = 10'000;
  Device device(1);
  DeviceChange change = many_peers(kPeers);
  const Allocations before = Allocations::now();
  {
    DeviceChange copy = many_peers(kPeers);
    device.apply(std::move(copy));
  }
  const Allocations after = Allocations::now();
  const auto bytes = (after.live_bytes - before.live_bytes) / kPeers;
  EXPECT_LT(bytes, 700) << "the promise is 4 KB, for the whole process";
  EXPECT_GT(bytes, 100) << "else this does not measure what it says";
  RecordProperty("bytes", std::to_string(bytes));

  DeviceChange removal;
  removal.replace_peers = true;
  device.apply(std::move(removal));
  EXPECT_EQ(device.engine().peer_count(), 0u);
}

TEST(Cost, AHandshakeTakesTheCurveOperationsOfTheWhitepaperAndNoMore) {
  Device initiator(1), responder(2);
  const auto introduce = [](Device& who, const Device& about) {
    DeviceChange change;
    PeerChange& peer = change.peers.emplace_back();
    peer.public_key = about.public_key();
    peer.endpoint = net::Endpoint{.address = net::Address::v4({192, 0, 2, 1}), .port = 1};
    who.apply(std::move(change));
  };
  introduce(initiator, responder);
  introduce(responder, initiator);
  Now now = kNow;
  for (const bool first : {true, false}) {
    SCOPED_TRACE(first);
    now.mono += 130s;
    now.unix += 130s;
    multiplications = 0;
    initiator.ask_for_handshake(now);
    ASSERT_EQ(initiator.out().datagrams.size(), 1u);
    // An ephemeral key and its agreement with the peer's; the two static keys' once.
    EXPECT_EQ(multiplications, first ? 3u : 2u);

    multiplications = 0;
    responder.receive(now, initiator.out().datagrams.front());
    ASSERT_EQ(responder.out().datagrams.size(), 1u);
    EXPECT_EQ(multiplications, first ? 5u : 4u);

    multiplications = 0;
    initiator.receive(now, responder.out().datagrams.front());
    EXPECT_EQ(multiplications, 2u);
    EXPECT_EQ(initiator.out().events.size(), 1u);
  }
}

TEST(Cost, AHandshakeWithoutMac1CostsNoCurveOperation) {
  Device device(1);
  ControlDatagram datagram;
  datagram.path = LinkedWorkers::kNearAddress;
  datagram.bytes.fill(0);
  datagram.bytes[0] = HandshakeInitiation::kType;
  datagram.size = sizeof(HandshakeInitiation);
  multiplications = 0;
  device.receive(kNow, datagram);
  EXPECT_EQ(multiplications, 0u);
  EXPECT_EQ(device.engine().drops().of(Drop::BadMac1), 1u);
}

TEST(Cost, SealingAndOpeningAllocateNothing) {
  for (const auto library : {crypto::AeadLibrary::OpenSsl, crypto::AeadLibrary::Automatic}) {
    LinkedWorkers workers(4, library, library);
    for (std::uint32_t i = 0; i < 4; ++i) workers.connect(i);
    SCOPED_TRACE(workers.near.worker.aead_name());
    const MonoTime now = LinkedWorkers::kStart + 1s;
    net::PacketBatch batch;
    std::vector<net::Datagram> datagrams;
    std::vector<ByteSpan> packets;
    datagrams.reserve(net::PacketBatch::kMaxPackets);
    packets.reserve(net::PacketBatch::kMaxPackets);
    std::vector<std::vector<std::uint8_t>> contents;
    for (std::uint32_t i = 0; i < net::PacketBatch::kMaxPackets; ++i) {
      contents.push_back(LinkedWorkers::packet(i / 8 % 4, i, 40 + i * 10));
    }
    const auto round = [&] {
      for (const auto& packet : contents) {
        const ByteSpan room = batch.append(packet.size());
        std::copy(packet.begin(), packet.end(), room.begin());
      }
      workers.near.worker.begin_turn();
      workers.far.worker.begin_turn();
      workers.near.worker.handle_commands();
      workers.far.worker.handle_commands();
      workers.near.worker.seal(now, batch, datagrams);
      for (net::Datagram& datagram : datagrams) datagram.path = &LinkedWorkers::kNearAddress;
      workers.far.worker.open(now, datagrams, packets);
      const std::size_t opened = packets.size();
      packets.clear();
      datagrams.clear();
      batch.clear();
      workers.near.worker.end_turn();
      workers.far.worker.end_turn();
      return opened;
    };
    for (int i = 0; i < 10; ++i) ASSERT_EQ(round(), net::PacketBatch::kMaxPackets);
    const Allocations before = Allocations::now();
    std::size_t opened = 0;
    for (int i = 0; i < 500; ++i) opened += round();
    EXPECT_EQ(Allocations::now().count, before.count);
    EXPECT_EQ(opened, 500 * net::PacketBatch::kMaxPackets);
  }
}

}  // namespace
}  // namespace ginnel::wg
