#include "core/wg/cookie.h"

#include <gtest/gtest.h>

#include "support/seeded_rng.h"

namespace ginnel::wg {
namespace {

using test::SeededRng;

const net::Endpoint kSource = *net::Endpoint::parse("192.0.2.1:51820");

struct CookieTest : testing::Test {
  HandshakeInitiation initiation() {
    HandshakeInitiation message;
    message.sender.set(0x01020304);
    rng.fill(message.ephemeral);
    client.add_macs(alice, bob.public_key(), now, message);
    return message;
  }
  bool has_cookie(const HandshakeInitiation& message, const net::Endpoint& source = kSource) {
    return server.has_valid_mac2(bob, now, rng, source, bytes_of(message));
  }
  CookieReply reply(const HandshakeInitiation& message) {
    return server.reply(bob, now, rng, kSource, bytes_of(message));
  }
  Result<void, Drop> consume(const CookieReply& reply) {
    return client.consume(alice, bob.public_key(), now, reply);
  }

  SeededRng rng{1};
  Identity alice{crypto::PrivateKey::generate(rng)};  // Asks,
  Identity bob{crypto::PrivateKey::generate(rng)};    // is under load.
  CookieClient client;
  CookieServer server;
  MonoTime now = MonoTime{} + 1h;
};

TEST_F(CookieTest, Mac1IsValidForItsReceiverOnly) {
  const HandshakeInitiation message = initiation();
  EXPECT_TRUE(has_valid_mac1(bob, bytes_of(message)));
  EXPECT_FALSE(has_valid_mac1(alice, bytes_of(message)));

  HandshakeResponse response;
  client.add_macs(alice, bob.public_key(), now, response);
  EXPECT_TRUE(has_valid_mac1(bob, bytes_of(response)));
}

TEST_F(CookieTest, Mac1CoversEveryByteBeforeIt) {
  const HandshakeInitiation message = initiation();
  for (std::size_t i = 0; i < sizeof message; ++i) {
    std::array<std::uint8_t, sizeof message> bytes;
    std::memcpy(bytes.data(), &message, sizeof message);
    bytes[i] ^= 0x80;
    const bool after_mac1 = i >= offsetof(HandshakeInitiation, mac2);
    EXPECT_EQ(has_valid_mac1(bob, bytes), after_mac1) << i;
  }
}

TEST_F(CookieTest, Mac2IsZerosWithoutACookie) {
  const HandshakeInitiation message = initiation();
  EXPECT_EQ(message.mac2, decltype(message.mac2){});
  EXPECT_FALSE(has_cookie(message));
}

TEST_F(CookieTest, ACookieMakesMac2Valid) {
  const CookieReply answer = reply(initiation());
  EXPECT_EQ(answer.receiver.get(), 0x01020304u);
  ASSERT_TRUE(consume(answer));

  const HandshakeInitiation message = initiation();
  EXPECT_TRUE(has_cookie(message));
  EXPECT_TRUE(has_valid_mac1(bob, bytes_of(message)));

  HandshakeResponse response;
  client.add_macs(alice, bob.public_key(), now, response);
  EXPECT_TRUE(server.has_valid_mac2(bob, now, rng, kSource, bytes_of(response)));
}

TEST_F(CookieTest, Mac2CoversEveryByteBeforeIt) {
  ASSERT_TRUE(consume(reply(initiation())));
  const HandshakeInitiation message = initiation();
  for (std::size_t i = 0; i < sizeof message; ++i) {
    std::array<std::uint8_t, sizeof message> bytes;
    std::memcpy(bytes.data(), &message, sizeof message);
    bytes[i] ^= 1;
    EXPECT_FALSE(server.has_valid_mac2(bob, now, rng, kSource, bytes)) << i;
  }
}

TEST_F(CookieTest, ACookieIsGoodForItsAddressAndPortOnly) {
  ASSERT_TRUE(consume(reply(initiation())));
  const HandshakeInitiation message = initiation();
  EXPECT_TRUE(has_cookie(message));
  for (const char* other : {"192.0.2.2:51820", "192.0.2.1:51821", "[2001:db8::1]:51820"}) {
    EXPECT_FALSE(has_cookie(message, *net::Endpoint::parse(other))) << other;
  }
}

TEST_F(CookieTest, TheServersSecretLastsForTwoMinutes) {
  ASSERT_TRUE(consume(reply(initiation())));
  const HandshakeInitiation message = initiation();
  now += kCookieLifetime - 1ns;
  EXPECT_TRUE(has_cookie(message));
  now += 1ns;
  EXPECT_FALSE(has_cookie(message));
}

TEST_F(CookieTest, TheClientUsesACookieForTwoMinutes) {
  ASSERT_TRUE(consume(reply(initiation())));
  now += kCookieLifetime - 1ns;
  EXPECT_NE(initiation().mac2, decltype(HandshakeInitiation::mac2){});
  now += 1ns;
  EXPECT_EQ(initiation().mac2, decltype(HandshakeInitiation::mac2){});
}

TEST_F(CookieTest, RefusesAReplyThatAnswersAnotherMessage) {
  const CookieReply answer = reply(initiation());
  initiation();
  const auto consumed = consume(answer);
  ASSERT_FALSE(consumed);
  EXPECT_EQ(consumed.error(), Drop::BadCookie);
  EXPECT_EQ(initiation().mac2, decltype(HandshakeInitiation::mac2){});
}

TEST_F(CookieTest, RefusesARepeatedReplySoThatNobodyProlongsACookie) {
  const CookieReply answer = reply(initiation());
  ASSERT_TRUE(consume(answer));
  now += 60s;
  EXPECT_FALSE(consume(answer));
  now += 60s;
  EXPECT_EQ(initiation().mac2, decltype(HandshakeInitiation::mac2){});
}

TEST_F(CookieTest, RefusesAReplyBeforeAnythingWasSent) {
  HandshakeInitiation message;
  CookieClient other;
  other.add_macs(alice, bob.public_key(), now, message);
  EXPECT_FALSE(consume(reply(message)));
}

TEST_F(CookieTest, RefusesAReplyFromSomeoneElseOrChanged) {
  const HandshakeInitiation message = initiation();
  Identity mallory{crypto::PrivateKey::generate(rng)};
  EXPECT_FALSE(consume(server.reply(mallory, now, rng, kSource, bytes_of(message))));

  const CookieReply answer = reply(message);
  for (std::size_t i = offsetof(CookieReply, nonce); i < sizeof answer; ++i) {
    std::array<std::uint8_t, sizeof answer> bytes;
    std::memcpy(bytes.data(), &answer, sizeof answer);
    bytes[i] ^= 1;
    CookieReply changed;
    std::memcpy(&changed, bytes.data(), sizeof changed);
    EXPECT_FALSE(consume(changed)) << i;
  }
  EXPECT_TRUE(consume(answer));  // Forgeries have not used it up.
}

TEST_F(CookieTest, NeverRepeatsANonce) {
  const HandshakeInitiation message = initiation();
  EXPECT_NE(reply(message).nonce, reply(message).nonce);
}

}  // namespace
}  // namespace ginnel::wg
