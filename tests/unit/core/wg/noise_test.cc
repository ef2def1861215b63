#include "core/wg/noise.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "core/wg/cookie.h"
#include "support/seeded_rng.h"

namespace ginnel::wg {
namespace {

using test::SeededRng;

// Hands out one given private key.
class OneKeyRng final : public Rng {
 public:
  explicit OneKeyRng(const std::array<std::uint8_t, 32>& key) : key_(key) {}
  void fill(ByteSpan out) override {
    ASSERT_EQ(out.size(), key_.size());
    std::ranges::copy(key_, out.begin());
  }

 private:
  std::array<std::uint8_t, 32> key_;
};

std::string hex(const crypto::AeadKey& key) { return to_hex(key.expose()); }

crypto::PresharedKey psk_of(std::uint8_t fill) {
  std::array<std::uint8_t, 32> bytes;
  bytes.fill(fill);
  return crypto::PresharedKey(bytes);
}

const Tai64n kTimestamp = Tai64n::newer_than({}, UnixTime{} + 1'700'000'000s);

struct Ends {
  Result<SessionKeys, Drop> initiator = std::unexpected(Drop::kCount);
  Result<SessionKeys, Drop> responder = std::unexpected(Drop::kCount);
};

// Two devices that know each other's keys, and one handshake between them.
struct Pair {
  SeededRng rng{1};
  Identity alice{crypto::PrivateKey::generate(rng)};
  Identity bob{crypto::PrivateKey::generate(rng)};
  StaticStatic alice_static = *alice.agree_with(bob.public_key());
  StaticStatic bob_static = *bob.agree_with(alice.public_key());
  HandshakeInitiation initiation;
  HandshakeResponse response;

  Result<InitiatorState, Drop> initiate() {
    return InitiatorState::begin(alice,
                                 {.peer = bob.public_key(),
                                  .static_static = alice_static,
                                  .timestamp = kTimestamp,
                                  .sender = SessionIndex{11}},
                                 rng, initiation);
  }
  Result<SessionKeys, Drop> respond(const crypto::PresharedKey& psk = {}) {
    auto state = ResponderState::begin(bob, initiation);
    if (!state) return std::unexpected(state.error());
    EXPECT_EQ(state->claimed_peer(), alice.public_key());
    const auto timestamp = state->authenticate(bob, initiation, bob_static);
    if (!timestamp) return std::unexpected(timestamp.error());
    EXPECT_EQ(*timestamp, kTimestamp);
    return state->respond(bob, {.psk = psk, .sender = SessionIndex{22}}, rng, response);
  }
  Ends shake_hands(const crypto::PresharedKey& alice_psk = {},
                   const crypto::PresharedKey& bob_psk = {}) {
    const auto state = initiate();
    Ends ends;
    ends.responder = respond(bob_psk);
    ends.initiator = state->finish(alice, alice_psk, response);
    return ends;
  }
};

TEST(Noise, GivesBothEndsTheSameKeysCrosswise) {
  for (const std::uint8_t psk : {std::uint8_t{0}, std::uint8_t{7}}) {
    SCOPED_TRACE(int(psk));
    Pair pair;
    const Ends ends = pair.shake_hands(psk_of(psk), psk_of(psk));
    ASSERT_TRUE(ends.initiator && ends.responder);
    EXPECT_EQ(hex(ends.initiator->send), hex(ends.responder->receive));
    EXPECT_EQ(hex(ends.initiator->receive), hex(ends.responder->send));
    EXPECT_NE(hex(ends.initiator->send), hex(ends.initiator->receive));
    EXPECT_EQ(pair.response.receiver.get(), 11u);
    EXPECT_EQ(pair.response.sender.get(), 22u);
  }
}

TEST(Noise, MakesNewKeysEachTime) {
  Pair pair;
  const Ends one = pair.shake_hands();
  const std::string first = to_hex(bytes_of(pair.initiation));
  const Ends two = pair.shake_hands();
  ASSERT_TRUE(one.initiator && two.initiator);
  EXPECT_NE(hex(one.initiator->send), hex(two.initiator->send));
  EXPECT_NE(first, to_hex(bytes_of(pair.initiation)));
}

// From tests/vectors/make_noise_vectors.py, which shares no code with this implementation.
struct Vector {
  std::uint8_t first_psk_byte;  // Of 00 01 .. 1f, or zeros.
  std::string_view initiation, response, to_responder, to_initiator;
};
constexpr std::string_view kInitiation =
    "010000004433221175f864569412c1e25b267aa8d18578e25627e38587e881b740fc53dedd9e801e"
    "c920c7ffe4024eaa9b2407c174a1cb23e0f2b5bd81a211ce09a9af522d87bae4e633e1572a48c510"
    "7ab0addbc409924e752e8d3b02c62749a7d5f75a4717f5c28a5f88477a7571fd410cd8bba34e4e3b"
    "8592bd2b10c6731c18cd868500000000000000000000000000000000";
constexpr Vector kVectors[] = {
    {0, kInitiation,
     "020000008877665544332211ed0317ea1219579a1ee4b24a9514a628c2ef57bca225bbec07af5c2f"
     "7126fe58122cb8b8f164a3b4301a78479bd97964bed3c6964745a3233649b0b015eeb41700000000"
     "000000000000000000000000",
     "6f0839c11ba5172b929805d947d549502a364ea4da51e42672c7cb948df1e17a",
     "eddece5984e624d5c5f8c2e1bcec71e48658eae78f9e8080713fd139aa6a095f"},
    {1, kInitiation,
     "020000008877665544332211ed0317ea1219579a1ee4b24a9514a628c2ef57bca225bbec07af5c2f"
     "7126fe5860f1911b7886a6c84662eb63193989eae6a247dd098d983525e1b30d809fad1000000000"
     "000000000000000000000000",
     "a0dafa2587a78c26ae96fd89461583349241d396e1c22ab8ba5b42c2932553dc",
     "4bfa57cd600868d1aa474210c8c7c10c23b454e947212f1c7c4f0f054ff6c73a"},
};

std::array<std::uint8_t, 32> vector_key(std::uint8_t fill) {
  std::array<std::uint8_t, 32> bytes;
  bytes.fill(fill);
  bytes[31] = 0x41;
  return bytes;
}

TEST(Noise, WritesTheBytesOfAnIndependentImplementation) {
  for (const Vector& vector : kVectors) {
    SCOPED_TRACE(int(vector.first_psk_byte));
    std::array<std::uint8_t, 32> psk_bytes{};
    for (std::uint8_t i = 0; i < 32 && vector.first_psk_byte; ++i) psk_bytes[i] = i;
    const crypto::PresharedKey psk(psk_bytes);
    Identity alice{crypto::PrivateKey(vector_key(0x08))};
    Identity bob{crypto::PrivateKey(vector_key(0x10))};
    OneKeyRng alice_rng(vector_key(0x18)), bob_rng(vector_key(0x20));
    CookieClient alice_macs, bob_macs;
    std::array<std::uint8_t, Tai64n::kSize> timestamp;
    ASSERT_TRUE(from_hex("400000006553f10a01000000", timestamp));

    HandshakeInitiation initiation;
    const auto initiator =
        InitiatorState::begin(alice,
                              {.peer = bob.public_key(),
                               .static_static = *alice.agree_with(bob.public_key()),
                               .timestamp = Tai64n(timestamp),
                               .sender = SessionIndex{0x11223344}},
                              alice_rng, initiation);
    alice_macs.add_macs(alice, bob.public_key(), MonoTime{}, initiation);
    EXPECT_EQ(to_hex(bytes_of(initiation)), vector.initiation);

    auto responder = ResponderState::begin(bob, initiation);
    ASSERT_TRUE(responder);
    ASSERT_TRUE(responder->authenticate(bob, initiation, *bob.agree_with(alice.public_key())));
    HandshakeResponse response;
    const auto bob_keys = responder->respond(bob, {.psk = psk, .sender = SessionIndex{0x55667788}},
                                             bob_rng, response);
    bob_macs.add_macs(bob, alice.public_key(), MonoTime{}, response);
    EXPECT_EQ(to_hex(bytes_of(response)), vector.response);

    const auto alice_keys = initiator->finish(alice, psk, response);
    ASSERT_TRUE(bob_keys && alice_keys);
    EXPECT_EQ(hex(alice_keys->send), vector.to_responder);
    EXPECT_EQ(hex(alice_keys->receive), vector.to_initiator);
    EXPECT_EQ(hex(bob_keys->send), vector.to_initiator);
  }
}

TEST(Noise, FailsWhenTheEndsDisagreeAboutThePresharedKey) {
  for (const auto& [alice_psk, bob_psk] : {std::pair{0, 1}, {1, 0}, {1, 2}}) {
    Pair pair;
    const Ends ends = pair.shake_hands(psk_of(static_cast<std::uint8_t>(alice_psk)),
                                       psk_of(static_cast<std::uint8_t>(bob_psk)));
    ASSERT_FALSE(ends.initiator);
    EXPECT_EQ(ends.initiator.error(), Drop::BadHandshake);
  }
}

// Not the macs, which are cookie.h's, nor the sender's index, which nothing protects but mac1: a
// response to another index finds no handshake.
TEST(Noise, RefusesAnInitiationWithAnyByteChanged) {
  Pair pair;
  ASSERT_TRUE(pair.initiate());
  const HandshakeInitiation original = pair.initiation;
  for (std::size_t i = offsetof(HandshakeInitiation, ephemeral);
       i < offsetof(HandshakeInitiation, mac1); ++i) {
    std::array<std::uint8_t, sizeof original> bytes;
    std::memcpy(bytes.data(), &original, sizeof original);
    bytes[i] ^= 1;
    std::memcpy(&pair.initiation, bytes.data(), sizeof original);
    const auto keys = pair.respond();
    ASSERT_FALSE(keys) << i;
    EXPECT_EQ(keys.error(), Drop::BadHandshake) << i;
  }
}

TEST(Noise, RefusesAResponseWithAnyByteChangedAndStillTakesTheTrueOne) {
  Pair pair;
  const auto state = pair.initiate();
  const auto bob_keys = pair.respond();
  const HandshakeResponse original = pair.response;
  for (std::size_t i = offsetof(HandshakeResponse, ephemeral);
       i < offsetof(HandshakeResponse, mac1); ++i) {
    std::array<std::uint8_t, sizeof original> bytes;
    std::memcpy(bytes.data(), &original, sizeof original);
    bytes[i] ^= 1;
    HandshakeResponse changed;
    std::memcpy(&changed, bytes.data(), sizeof changed);
    const auto keys = state->finish(pair.alice, {}, changed);
    ASSERT_FALSE(keys) << i;
    EXPECT_EQ(keys.error(), Drop::BadHandshake) << i;
  }
  const auto alice_keys = state->finish(pair.alice, {}, original);
  ASSERT_TRUE(alice_keys && bob_keys);
  EXPECT_EQ(hex(alice_keys->send), hex(bob_keys->receive));
}

TEST(Noise, RefusesEphemeralKeysOfLowOrder) {
  Pair pair;
  const auto state = pair.initiate();
  ASSERT_TRUE(pair.respond());
  for (const std::uint8_t point : {std::uint8_t{0}, std::uint8_t{1}}) {
    pair.initiation.ephemeral = {point};
    pair.response.ephemeral = {point};
    const auto responder = ResponderState::begin(pair.bob, pair.initiation);
    const auto initiator = state->finish(pair.alice, {}, pair.response);
    ASSERT_FALSE(responder || initiator);
    EXPECT_EQ(responder.error(), Drop::LowOrderPoint);
    EXPECT_EQ(initiator.error(), Drop::LowOrderPoint);
  }
}

TEST(Noise, HasNoSecretWithAPeerWhoseKeyIsOfLowOrder) {
  Pair pair;
  EXPECT_FALSE(pair.alice.agree_with(crypto::PublicKey()));
  const auto state = InitiatorState::begin(pair.alice,
                                           {.peer = crypto::PublicKey(),
                                            .static_static = pair.alice_static,
                                            .timestamp = kTimestamp,
                                            .sender = SessionIndex{1}},
                                           pair.rng, pair.initiation);
  ASSERT_FALSE(state);
  EXPECT_EQ(state.error(), Drop::LowOrderPoint);
}

// Mallory knows Bob's key and claims to be Alice: Bob learns the claim, and that it is false.
TEST(Noise, DoesNotBelieveAClaimWithoutTheKeyBehindIt) {
  Pair pair;
  Identity mallory{crypto::PrivateKey::generate(pair.rng)};
  const auto state =
      InitiatorState::begin(mallory,
                            {.peer = pair.bob.public_key(),
                             .static_static = *mallory.agree_with(pair.bob.public_key()),
                             .timestamp = kTimestamp,
                             .sender = SessionIndex{1}},
                            pair.rng, pair.initiation);
  ASSERT_TRUE(state);
  auto responder = ResponderState::begin(pair.bob, pair.initiation);
  ASSERT_TRUE(responder);
  EXPECT_EQ(responder->claimed_peer(), mallory.public_key());

  const auto timestamp = responder->authenticate(pair.bob, pair.initiation, pair.bob_static);

  ASSERT_FALSE(timestamp);
  EXPECT_EQ(timestamp.error(), Drop::BadHandshake);
}

TEST(Noise, IsRefusedByWhomItIsNotMeantFor) {
  Pair pair;
  ASSERT_TRUE(pair.initiate());
  Identity carol{crypto::PrivateKey::generate(pair.rng)};
  const auto responder = ResponderState::begin(carol, pair.initiation);
  ASSERT_FALSE(responder);
  EXPECT_EQ(responder.error(), Drop::BadHandshake);
}

TEST(Noise, LetsTwoHandshakesCross) {
  Pair pair;
  const auto alice_state = pair.initiate();
  HandshakeInitiation from_bob;
  const auto bob_state = InitiatorState::begin(pair.bob,
                                               {.peer = pair.alice.public_key(),
                                                .static_static = pair.bob_static,
                                                .timestamp = kTimestamp,
                                                .sender = SessionIndex{33}},
                                               pair.rng, from_bob);
  auto alice_responder = ResponderState::begin(pair.alice, from_bob);
  ASSERT_TRUE(alice_state && bob_state && alice_responder);
  ASSERT_TRUE(alice_responder->authenticate(pair.alice, from_bob, pair.alice_static));
  HandshakeResponse from_alice;
  const auto alice_second = alice_responder->respond(
      pair.alice, {.psk = {}, .sender = SessionIndex{44}}, pair.rng, from_alice);

  const auto bob_first = pair.respond();
  const auto alice_first = alice_state->finish(pair.alice, {}, pair.response);
  const auto bob_second = bob_state->finish(pair.bob, {}, from_alice);

  ASSERT_TRUE(alice_first && bob_first && alice_second && bob_second);
  EXPECT_EQ(hex(alice_first->send), hex(bob_first->receive));
  EXPECT_EQ(hex(alice_second->send), hex(bob_second->receive));
  EXPECT_NE(hex(alice_first->send), hex(bob_second->receive));
}

// Sealing with one end's keys and opening with the other's is what it is all for.
TEST(Noise, MakesKeysThatCarryPackets) {
  Pair pair;
  const Ends ends = pair.shake_hands();
  ASSERT_TRUE(ends.initiator && ends.responder);
  const auto aead = crypto::make_aead_batch();
  std::array<std::uint8_t, 32 + crypto::kTagSize> data{1, 2, 3};

  crypto::AeadJob job{.key = &ends.initiator->send, .counter = 0, .data = data};
  aead->seal({&job, 1});
  job.key = &ends.responder->receive;
  aead->open({&job, 1});

  EXPECT_TRUE(job.authentic);
  EXPECT_EQ(data[2], 3);
}

}  // namespace
}  // namespace ginnel::wg
