// Two whole devices and somebody who owns the network between them, and one of them: the input is
// what he does. He delivers, drops, repeats, reorders, changes and invents datagrams, seals what he
// likes with real sessions, lets time pass and changes configurations.
//
// Whatever he does, nothing is delivered that was not sent, nor twice; no table grows; no deadline
// stands still; and when he stops and the configurations are right, the two can talk.
#include <gtest/gtest.h>

#include <set>

#include "base/check.h"
#include "fuzz/fuzz_input.h"
#include "net/ip_packet.h"
#include "sim/sim_node.h"

namespace ginnel::sim {
namespace {

constexpr int kMaxActions = 96;
constexpr std::size_t kMaxKept = 64;  // Datagrams on the way, and ones to be played again.
constexpr std::uint64_t kKeySeeds[] = {100, 200, 300};

using Bytes = std::vector<std::uint8_t>;

struct Flight {
  std::size_t to = 0;
  Bytes bytes;
};

class World {
 public:
  World() {
    for (std::size_t i : {0u, 1u}) {
      nodes_.push_back(std::make_unique<SimNode>(i == 0 ? "a" : "b", 10 + i));
      own_keys_.push_back(std::move(*nodes_[i]->engine().status().private_key));
    }
    restore();
  }

  void act(FuzzInput& in) {
    const std::uint8_t what = in.byte();
    const std::size_t who = what / 16 % 2;
    switch (what % 16) {
      case 0:
      case 1:
        send(who, in.byte(), what % 16 == 1);
        break;
      case 2:
      case 3:
        deliver(0, false, in);
        break;
      case 4:
        deliver(in.byte(), true, in);
        break;
      case 5:
        drop(in.byte());
        break;
      case 6:
        play_again(in.byte(), in.byte());
        break;
      case 7:
        damage(in.byte(), in.number(), in.byte());
        break;
      case 8:
        invent(who, in);
        break;
      case 9:
        answer_with_cookie(who, in);
        break;
      case 10:
        seal_by_hand(who, in.bytes(in.byte()));
        break;
      case 11:
        pass(Duration(std::chrono::milliseconds(in.byte())));
        break;
      case 12:
        pass(Duration(std::chrono::seconds(in.byte() * 3)));
        break;
      case 13:
      case 14:
        configure(who, in);
        break;
      default:
        flood(who, in);
        break;
    }
    settle();
  }

  void check_that_they_can_talk() {
    restore();
    flights_.clear();
    for (int second = 0; second < 60; ++second) {
      if (second == 50) received_[0] = received_[1] = 0;
      send(0, 0, second % 2 != 0);
      send(1, 0, second % 3 != 0);
      for (int step = 0; step < 10; ++step) {
        while (!flights_.empty()) {
          hand_over(flights_.front(), endpoint_of(1 - flights_.front().to), 0);
          flights_.pop_front();
          settle();
        }
        pass(100ms);
        settle();
      }
    }
    CHECK(received_[0] > 0 && received_[1] > 0);
  }

 private:
  static net::Endpoint endpoint_of(std::size_t who) {
    return {.address = net::Address::v4({203, 0, 113, static_cast<std::uint8_t>(who + 1)}),
            .port = 51820};
  }
  SimNode& node(std::size_t who) { return *nodes_[who % 2]; }

  // Carries what the nodes have to say, and looks at what they delivered.
  void settle() {
    for (std::size_t who : {0u, 1u}) {
      for (SimNode::Outgoing& one : node(who).outgoing) {
        keep(history_, {1 - who, one.bytes});
        if (one.path.remote == endpoint_of(1 - who))
          keep(flights_, {1 - who, std::move(one.bytes)});
      }
      node(who).outgoing.clear();
      for (const Bytes& packet : node(who).delivered) check_delivered(who, packet);
      received_[who] += node(who).delivered.size();
      node(who).delivered.clear();
      node(who).events.clear();
      CHECK(node(who).tables().sessions.size() <= 4 * node(who).engine().peer_count());
      CHECK(node(who).engine().peer_count() <= 4);
    }
  }
  static void keep(std::deque<Flight>& kept, Flight flight) {
    if (kept.size() == kMaxKept) kept.pop_front();
    kept.push_back(std::move(flight));
  }

  void send(std::size_t from, std::uint8_t size, bool v6) {
    const std::size_t header = v6 ? 40 : 20;
    Bytes packet(header + 8 + size * 5u, 0);
    const ByteSpan all(packet);
    const auto to = static_cast<std::uint8_t>(2 - from);
    if (v6) {
      packet[0] = 0x60;
      store<Be16>(all.subspan(4), static_cast<std::uint16_t>(packet.size() - 40));
      packet[8] = packet[24] = 0xfd;
      packet[23] = static_cast<std::uint8_t>(from + 1);
      packet[39] = to;
    } else {
      packet[0] = 0x45;
      store<Be16>(all.subspan(2), static_cast<std::uint16_t>(packet.size()));
      packet[12] = packet[16] = 10;
      packet[15] = static_cast<std::uint8_t>(from + 1);
      packet[19] = to;
    }
    store<Be64>(all.subspan(header), ++number_);
    undelivered_[1 - from].insert(packet);
    node(from).send_packet(now_, packet);
  }

  // By hand: the inner packet may be nonsense, and sessions may be ones that are hardly made.
  void seal_by_hand(std::size_t from, ByteView plaintext) {
    Session* session = nullptr;
    for (std::uint32_t slot = 0; slot < 8 && session == nullptr; ++slot) {
      const wg::PeerPath* path = node(from).tables().paths.find(wg::PeerSlot{slot});
      if (path != nullptr) session = path->current.load();
    }
    if (session == nullptr) return;
    const auto counter = session->reserve_counters(1);
    CHECK(counter.has_value());
    Bytes datagram(wg::TransportView::kHeaderSize + plaintext.size() + wg::TransportView::kTagSize);
    wg::write_transport_header(datagram, session->remote_index(), *counter);
    const ByteSpan data = ByteSpan(datagram).subspan(wg::TransportView::kHeaderSize);
    std::copy(plaintext.begin(), plaintext.end(), data.begin());
    crypto::AeadJob job{.key = &session->send_key(), .counter = *counter, .data = data};
    aead_->seal({&job, 1});
    by_hand_.emplace_back(plaintext.begin(), plaintext.end());
    keep(flights_, {1 - from, std::move(datagram)});
  }
  using Session = wg::Session;

  void check_delivered(std::size_t to, const Bytes& packet) {
    const auto sent = undelivered_[to].find(packet);
    if (sent != undelivered_[to].end()) {
      undelivered_[to].erase(sent);
      return;
    }
    Bytes copy = packet;
    const auto ip = net::IpPacket::parse(copy);
    CHECK(ip && ip->bytes().size() == packet.size());
    const auto is_it = [&](const Bytes& one) {
      if (one.size() < packet.size()) return false;
      for (std::size_t i = 0; i < packet.size(); ++i) {
        const bool changes_with_ecn = i < 2 || i == 10 || i == 11;
        if (one[i] != packet[i] && !changes_with_ecn) return false;
      }
      return true;
    };
    const auto found = std::find_if(by_hand_.begin(), by_hand_.end(), is_it);
    CHECK(found != by_hand_.end());
    by_hand_.erase(found);
    CHECK(node(to).tables().allowed_ips.find(ip->source()) != wg::kNoPeer);
  }

  void hand_over(const Flight& flight, const net::Endpoint& from, std::uint8_t ecn) {
    const net::PathAddress path{.remote = from, .local = {}, .interface = 0};
    node(flight.to).receive_datagram(now_, path, flight.bytes, ecn & 3);
  }
  static net::Endpoint elsewhere(std::uint8_t number) {
    return {.address = net::Address::v4({198, 51, 100, number}), .port = 9};
  }

  void deliver(std::size_t index, bool reorders, FuzzInput& in) {
    if (flights_.empty()) return;
    index %= flights_.size();
    const Flight flight = flights_[index];
    flights_.erase(flights_.begin() + std::ptrdiff_t(index));
    const std::uint8_t how = reorders ? in.byte() : 0;
    const bool moves = how >= 128;
    hand_over(flight, moves ? elsewhere(how) : endpoint_of(1 - flight.to), how);
  }
  void drop(std::size_t index) {
    if (!flights_.empty())
      flights_.erase(flights_.begin() + std::ptrdiff_t(index % flights_.size()));
  }
  void play_again(std::size_t index, std::uint8_t how) {
    if (history_.empty()) return;
    Flight flight = history_[index % history_.size()];
    if (how % 4 == 1) flight.to = 1 - flight.to;  // Back to whoever sent it.
    hand_over(flight, how >= 128 ? elsewhere(how) : endpoint_of(1 - flight.to), 0);
  }
  void damage(std::size_t index, std::size_t where, std::uint8_t how) {
    if (flights_.empty()) return;
    Bytes& bytes = flights_[index % flights_.size()].bytes;
    if (how >= 192) {
      bytes.resize(where % (bytes.size() + 20));
    } else if (!bytes.empty()) {
      bytes[where % bytes.size()] ^= static_cast<std::uint8_t>(how | 1);
    }
  }

  void mend_mac1(std::size_t to, Bytes& bytes) {
    if (bytes.size() != sizeof(wg::HandshakeInitiation) &&
        bytes.size() != sizeof(wg::HandshakeResponse)) {
      return;
    }
    const auto key = node(to).engine().status().public_key;
    if (!key) return;
    const std::size_t covered = bytes.size() - 2 * sizeof(crypto::Mac);
    const crypto::Mac mac =
        blake2s_.mac(wg::mac1_key_of(blake2s_, *key), {ByteView(bytes).first(covered)});
    std::copy(mac.begin(), mac.end(), bytes.begin() + std::ptrdiff_t(covered));
  }
  // A datagram of any bytes, or of the right length for its type, with an index that is in use.
  void invent(std::size_t to, FuzzInput& in) {
    static constexpr std::size_t kSizes[] = {148, 92, 64, 32, 48};
    const std::uint8_t how = in.byte();
    const std::size_t size = how % 8 < 5 ? kSizes[how % 8] : in.byte();
    const ByteView given = in.bytes(std::min<std::size_t>(size, in.byte()));
    Bytes bytes(size, 0);
    std::copy(
        given.begin(), given.end(),
        bytes.begin() + std::min<std::ptrdiff_t>(4, bytes.size()) * (given.size() + 4 <= size));
    if (how % 8 < 5 && size >= 4) {
      bytes[0] = static_cast<std::uint8_t>(std::min(how % 8 + 1, 4));
      bytes[1] = bytes[2] = bytes[3] = 0;
    }
    if (how >= 64 && !history_.empty()) copy_index(in.byte(), bytes);
    mend_mac1(to, bytes);
    hand_over({to, bytes}, how >= 128 ? elsewhere(how) : endpoint_of(1 - to), how);
  }
  void copy_index(std::size_t from, Bytes& bytes) {
    const Bytes& source = history_[from % history_.size()].bytes;
    if (source.size() >= 12 && bytes.size() >= 12) {
      std::copy_n(source.begin() + 4, 4, bytes.begin() + (bytes[0] == 2 ? 8 : 4));
    }
  }
  // What a device under load would have said to a handshake message that was seen.
  void answer_with_cookie(std::size_t server, FuzzInput& in) {
    if (history_.empty()) return;
    const Bytes message = history_[in.byte() % history_.size()].bytes;
    if (message.empty() || message[0] > 2 || message[0] == 0) return;
    if (message.size() != 148 && message.size() != 92) return;
    const auto status = node(server).engine().status();
    if (!status.private_key) return;
    wg::Identity identity(status.private_key->duplicate());
    wg::CookieServer cookies;
    const wg::CookieReply reply =
        cookies.reply(identity, now_.mono, rng_, endpoint_of(1 - server), message);
    const ByteView bytes = bytes_of(reply);
    hand_over({1 - server, {bytes.begin(), bytes.end()}}, endpoint_of(server), 0);
  }
  // More handshakes at once than are worked on without proof of the sender's address.
  void flood(std::size_t to, FuzzInput& in) {
    Bytes bytes(148, in.byte());
    bytes[0] = 1;
    bytes[1] = bytes[2] = bytes[3] = 0;
    mend_mac1(to, bytes);
    wg::HandshakeDatagram datagram;
    datagram.path = {.remote = elsewhere(in.byte()), .local = {}, .interface = 0};
    datagram.size = 148;
    std::copy(bytes.begin(), bytes.end(), datagram.bytes.begin());
    for (std::size_t i = 0; i < wg::LoadGauge::kThreshold + 2; ++i) {
      node(to).tables().control.handshakes.push(wg::HandshakeDatagram(datagram));
    }
    node(to).handle_timeout(now_);
  }

  void pass(Duration time) {
    const MonoTime until = now_.mono + time;
    for (int rounds = 0;; ++rounds) {
      CHECK(rounds < 10'000);
      const MonoTime next = std::min(node(0).next_timeout(), node(1).next_timeout());
      const MonoTime then = std::max(now_.mono, std::min(next, until));
      now_.unix += then - now_.mono;
      now_.mono = then;
      if (next > until) return;
      for (std::size_t who : {0u, 1u}) {
        if (node(who).next_timeout() > now_.mono) continue;
        node(who).handle_timeout(now_);
        CHECK(node(who).next_timeout() > now_.mono);
      }
    }
  }

  wg::PeerChange right_peer(std::size_t who) const {
    wg::PeerChange peer{.public_key = own_keys_[1 - who].public_key()};
    peer.endpoint = endpoint_of(1 - who);
    peer.preshared_key = crypto::PresharedKey();
    peer.persistent_keepalive_seconds = 0;
    peer.replace_allowed_ips = true;
    const std::uint64_t number = 2 - who;
    peer.allowed_ips = {
        {.prefix = net::Prefix::host(net::Address::v4({10, 0, 0, 0}).plus(number))},
        {.prefix = net::Prefix::host(net::Address::parse("fd00::").value().plus(number))}};
    return peer;
  }
  // Without taking anything away: what an operator would do who puts a file right.
  void restore() {
    for (std::size_t who : {0u, 1u}) {
      wg::DeviceChange change;
      change.private_key = own_keys_[who].duplicate();
      change.peers.push_back(right_peer(who));
      node(who).configure(now_, std::move(change));
    }
  }

  void configure(std::size_t who, FuzzInput& in) {
    wg::DeviceChange change;
    const std::uint8_t what = in.byte();
    if (what % 16 == 0) {
      test::SeededRng rng(kKeySeeds[what / 16 % 3]);
      change.private_key = crypto::PrivateKey::generate(rng);
    } else if (what % 16 == 1) {
      change.private_key = crypto::PrivateKey();
    } else if (what % 16 == 2) {
      change.private_key = own_keys_[who].duplicate();
    } else {
      change.replace_peers = what % 16 == 3;
      change.peers.push_back(change_peer(who, what, in));
    }
    node(who).configure(now_, std::move(change));
  }
  wg::PeerChange change_peer(std::size_t who, std::uint8_t what, FuzzInput& in) {
    const std::uint8_t members = in.byte();
    wg::PeerChange peer = right_peer(who);
    if (what % 16 == 4) {  // One of two others; nobody has their keys, and one is of low order.
      std::array<std::uint8_t, crypto::kKeySize> key{};
      key[0] = what >= 128 ? 9 : 0;
      peer.public_key = crypto::PublicKey(key);
    }
    if ((members & 1) == 0) peer.allowed_ips.clear();
    if ((members & 2) == 0) peer.endpoint.reset();
    if ((members & 4) == 0) peer.preshared_key.reset();
    if ((members & 8) != 0) {
      peer.preshared_key = crypto::PresharedKey(kSomePsk);
    }
    peer.replace_allowed_ips = (members & 16) != 0;
    peer.update_only = (members & 32) != 0;
    if ((members & 64) != 0) peer.persistent_keepalive_seconds = in.byte();
    peer.remove = what % 16 == 5;
    if ((members & 128) != 0) {
      peer.allowed_ips.push_back({.prefix = net::Prefix::parse("10.0.0.0/24").value()});
      peer.allowed_ips.push_back(
          {.prefix = net::Prefix::parse("::/0").value(), .remove = what >= 128});
    }
    return peer;
  }

  static constexpr std::array<std::uint8_t, crypto::kKeySize> kSomePsk = {1, 2, 3};

  Now now_{MonoTime() + 1h, UnixTime() + std::chrono::hours(480'000)};
  std::vector<std::unique_ptr<SimNode>> nodes_;
  std::vector<crypto::PrivateKey> own_keys_;
  std::deque<Flight> flights_;
  std::deque<Flight> history_;
  std::array<std::multiset<Bytes>, 2> undelivered_;  // By receiver.
  std::vector<Bytes> by_hand_;
  std::array<std::size_t, 2> received_{};
  std::uint64_t number_ = 0;
  test::SeededRng rng_{77};
  crypto::Blake2s blake2s_;
  std::unique_ptr<crypto::AeadBatch> aead_ = crypto::make_aead_batch(crypto::AeadLibrary::OpenSsl);
};

}  // namespace
}  // namespace ginnel::sim

// The nodes' own expectations are gtest's: they shall stop the fuzzer.
extern "C" int LLVMFuzzerInitialize(int*, char***) {
  GTEST_FLAG_SET(break_on_failure, true);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ginnel::FuzzInput in({data, size});
  ginnel::sim::World world;
  for (int i = 0; i < ginnel::sim::kMaxActions && !in.empty(); ++i) world.act(in);
  world.check_that_they_can_talk();
  return 0;
}
