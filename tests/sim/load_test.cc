// A device whose handshakes come faster than it works on them: who proves its address gets in, and
// nobody gets more than his share.
#include <gtest/gtest.h>

#include "sim/pair.h"

namespace ginnel::sim {
namespace {

using Kind = wg::EngineEvent::Kind;

const net::Endpoint kElsewhere = {.address = net::Address::v4({198, 51, 100, 9}), .port = 9};

// Somebody who knows a device's public key and sends handshakes that come to nothing.
class Flooder {
 public:
  Flooder(SimNode& target, std::uint64_t seed) : target_(target), rng_(seed) {}

  wg::HandshakeInitiation message(const Now& now) {
    wg::HandshakeInitiation message;
    rng_.fill(message.ephemeral);
    message.sender.set(77);
    cookies_.add_macs(identity_, target_.public_key(), now.mono, message);
    return message;
  }
  // So many at once that the device is under load. It works on them when it is next run.
  void flood(const Now& now, std::size_t count = wg::LoadGauge::kThreshold + 10) {
    for (std::size_t i = 0; i < count; ++i) {
      const wg::HandshakeInitiation one = message(now);
      wg::HandshakeDatagram datagram;
      datagram.path = {.remote = kElsewhere, .local = {}, .interface = 0};
      datagram.size = sizeof one;
      std::memcpy(datagram.bytes.data(), &one, sizeof one);
      target_.tables().control.handshakes.push(std::move(datagram));
    }
    target_.handle_timeout(now);
  }
  // Takes the cookie: what follows proves the address. The device answers each message with one,
  // and only the answer to the last is good.
  bool take_cookie(const Now& now, ByteView datagram) {
    wg::CookieReply reply;
    if (datagram.size() != sizeof reply) return false;
    std::memcpy(&reply, datagram.data(), sizeof reply);
    return cookies_.consume(identity_, target_.public_key(), now.mono, reply).has_value();
  }

 private:
  SimNode& target_;
  test::SeededRng rng_;
  wg::Identity identity_{crypto::PrivateKey::generate(rng_)};
  wg::CookieClient cookies_;
};

TEST(Load, BelowTheThresholdNobodyHasToProveAnything) {
  Pair pair;
  Flooder flooder(pair.b, 5);
  flooder.flood(pair.sim.now(), wg::LoadGauge::kThreshold - 1);
  EXPECT_EQ(pair.b.drops(wg::Drop::CookieRequired), 0u);
  EXPECT_EQ(pair.b.drops(wg::Drop::BadHandshake), wg::LoadGauge::kThreshold - 1);
}

TEST(Load, FromTheThresholdOnNoWorkIsDoneWithoutACookie) {
  Pair pair;
  Flooder flooder(pair.b, 5);
  flooder.flood(pair.sim.now(), wg::LoadGauge::kThreshold);
  EXPECT_EQ(pair.b.drops(wg::Drop::CookieRequired), wg::LoadGauge::kThreshold);
  EXPECT_EQ(pair.b.drops(wg::Drop::BadHandshake), 0u);

  pair.sim.send(pair.a, pair.b, 1);
  pair.sim.run_for(wg::LoadGauge::kLinger / 2);
  EXPECT_EQ(pair.b.count(Kind::SessionMade), 0u);
}

TEST(Load, WhoeverCannotKeepUpGivesNoCookiesUntilItCan) {
  Pair pair;
  Flooder flooder(pair.b, 5);
  std::size_t cookies = 0;
  pair.sim.on_datagram = [&](const SimNode& from, const net::Endpoint&, ByteView bytes) {
    if (&from == &pair.b && bytes[0] == wg::CookieReply::kType) ++cookies;
  };
  constexpr std::size_t kMany = wg::LoadGauge::kSwamped + 100;
  flooder.flood(pair.sim.now(), kMany);
  pair.sim.send(pair.b, pair.a, 0);  // Carries what the device had to say to the flood.
  EXPECT_EQ(pair.b.drops(wg::Drop::CookieRequired), kMany);
  EXPECT_EQ(cookies, wg::LoadGauge::kSwamped - 1);  // To those that came last.
}

TEST(Load, AnHonestPeerTakesTheCookieAndGetsInWhileTheFloodGoesOn) {
  Pair pair;
  Flooder flooder(pair.b, 5);
  pair.sim.send(pair.a, pair.b, 42);
  for (Duration t{}; t < 2 * wg::kRekeyTimeout && pair.b.delivered.empty(); t += 10ms) {
    flooder.flood(pair.sim.now());
    pair.sim.run_for(10ms);
  }
  ASSERT_EQ(pair.b.delivered.size(), 1u);
  EXPECT_EQ(number_in(pair.b.delivered.front()), 42u);
  EXPECT_GT(pair.b.drops(wg::Drop::CookieRequired), 1000u);
}

TEST(Load, AnInitiatorUnderLoadGetsItsAnswerToo) {
  Pair pair;
  Flooder flooder(pair.a, 5);
  pair.sim.send(pair.a, pair.b, 42);
  for (Duration t{}; t < 3 * wg::kRekeyTimeout && pair.b.delivered.empty(); t += 10ms) {
    flooder.flood(pair.sim.now());
    pair.sim.run_for(10ms);
  }
  EXPECT_EQ(pair.b.delivered.size(), 1u);
}

TEST(Load, ACookieIsGoodForTheAddressItWasGivenToOnly) {
  Pair pair;
  Flooder flooder(pair.b, 5);
  std::vector<std::uint8_t> with_cookie;
  pair.sim.on_datagram = [&](const SimNode& from, const net::Endpoint&, ByteView bytes) {
    if (&from == &pair.a && bytes[0] == 1) with_cookie.assign(bytes.begin(), bytes.end());
  };
  pair.sim.set_quality_from(pair.a, {.lost = 1000});
  pair.sim.send(pair.a, pair.b, 1);
  ASSERT_FALSE(with_cookie.empty());
  flooder.flood(pair.sim.now());
  pair.sim.inject(pair.b, pair.sim.endpoint_of(pair.a), with_cookie);
  pair.sim.run_for(wg::kRekeyTimeout + wg::kMaxTimerJitter);  // Its retransmission has mac2.
  ASSERT_FALSE(std::all_of(with_cookie.end() - 16, with_cookie.end(),
                           [](std::uint8_t byte) { return byte == 0; }));

  flooder.flood(pair.sim.now());
  net::Endpoint other_port = pair.sim.endpoint_of(pair.a);
  ++other_port.port;
  for (const net::Endpoint& wrong : {kElsewhere, other_port}) {
    const std::uint64_t before = pair.b.drops(wg::Drop::CookieRequired);
    pair.sim.inject(pair.b, wrong, with_cookie);
    EXPECT_EQ(pair.b.drops(wg::Drop::CookieRequired), before + 1);
  }
  pair.sim.set_quality_from(pair.a, kCleanLink);
  pair.sim.inject(pair.b, pair.sim.endpoint_of(pair.a), with_cookie);
  pair.sim.run_for(1s);
  EXPECT_EQ(pair.a.count(Kind::SessionMade), 1u);
}

TEST(Load, WhoHasACookieAndFloodsIsWorkedForAtHisRateAndOthersGetIn) {
  Pair pair;
  Flooder flooder(pair.b, 5);
  bool has_cookie = false;
  pair.sim.on_datagram = [&](const SimNode& from, const net::Endpoint& to, ByteView bytes) {
    if (&from == &pair.b && to == kElsewhere && !has_cookie) {
      has_cookie = flooder.take_cookie(pair.sim.now(), bytes);
    }
  };
  flooder.flood(pair.sim.now());
  pair.sim.send(pair.b, pair.a, 0);  // Carries what the device had to say to the flood.
  ASSERT_TRUE(has_cookie);
  pair.sim.run_for(20s);
  const std::uint64_t before = pair.b.drops(wg::Drop::BadHandshake);

  wg::PeerChange again{.public_key = pair.b.public_key()};
  again.remove = true;
  pair.sim.configure(pair.a, change_of(std::move(again)));  // So that it has to shake hands.
  pair.sim.introduce(pair.a, pair.b, true, true);
  const std::size_t delivered = pair.b.delivered.size();
  pair.sim.send(pair.a, pair.b, 42);
  constexpr auto kTime = 2 * wg::kRekeyTimeout;
  for (Duration t{}; t < kTime; t += 50ms) {
    flooder.flood(pair.sim.now());
    pair.sim.run_for(50ms);
  }
  const auto worked_on = pair.b.drops(wg::Drop::BadHandshake) - before;
  constexpr auto kShare = kTime / wg::HandshakeLimiter::kInterval;
  EXPECT_LE(worked_on, std::uint64_t(kShare + wg::HandshakeLimiter::kBurst));
  EXPECT_GE(worked_on, std::uint64_t(kShare / 2));
  EXPECT_GT(pair.b.drops(wg::Drop::RateLimited), 1000u);
  EXPECT_EQ(pair.b.delivered.size(), delivered + 1);
}

}  // namespace
}  // namespace ginnel::sim
