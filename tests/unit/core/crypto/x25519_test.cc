#include "core/crypto/x25519.h"

#include <gtest/gtest.h>
#include <openssl/err.h>

#include "base/text.h"

namespace ginnel::crypto {
namespace {

std::array<std::uint8_t, kKeySize> bytes(std::string_view hex) {
  std::array<std::uint8_t, kKeySize> out;
  EXPECT_TRUE(from_hex(hex, out)) << hex;
  return out;
}

std::string agree(std::string_view own, std::string_view theirs) {
  const auto shared = x25519(PrivateKey(bytes(own)), PublicKey(bytes(theirs)));
  return shared ? to_hex(shared->expose()) : "nothing";
}

TEST(X25519, GivesTheResultsOfRfc7748Section52) {
  EXPECT_EQ(agree("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
                  "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c"),
            "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");
  EXPECT_EQ(agree("4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
                  "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493"),
            "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957");
}

TEST(X25519, GivesTheResultsOfRfc7748AfterOneAndAThousandIterations) {
  std::array<std::uint8_t, kKeySize> k{9};
  std::array<std::uint8_t, kKeySize> u{9};
  for (int i = 1; i <= 1000; ++i) {
    const auto shared = x25519(PrivateKey(k), PublicKey(u));
    ASSERT_TRUE(shared);
    u = k;
    std::ranges::copy(shared->expose(), k.begin());
    if (i == 1) {
      EXPECT_EQ(to_hex(k), "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079");
    }
  }
  EXPECT_EQ(to_hex(k), "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51");
}

TEST(X25519, GivesBothSidesTheSecretOfRfc7748Section61) {
  constexpr auto kAlice = "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a";
  constexpr auto kBob = "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb";
  DhKey alice{PrivateKey(bytes(kAlice))};
  DhKey bob{PrivateKey(bytes(kBob))};

  const auto one = alice.agree(bob.public_key());
  const auto other = bob.agree(alice.public_key());

  ASSERT_TRUE(one && other);
  EXPECT_EQ(to_hex(one->expose()),
            "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
  EXPECT_EQ(to_hex(other->expose()), to_hex(one->expose()));
}

// Every encoding of the points of order 1, 2, 4 and 8 on the curve and its twist.
TEST(X25519, RefusesPointsOfLowOrder) {
  constexpr std::string_view kPoints[] = {
      "0000000000000000000000000000000000000000000000000000000000000000",
      "0100000000000000000000000000000000000000000000000000000000000000",
      "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
      "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
      "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  };
  DhKey own{PrivateKey(bytes("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"))};
  for (const std::string_view point : kPoints) {
    SCOPED_TRACE(point);
    std::array<std::uint8_t, kKeySize> theirs = bytes(point);
    EXPECT_FALSE(own.agree(PublicKey(theirs)));
    theirs[31] |= 0x80;  // The unused bit makes no difference.
    EXPECT_FALSE(own.agree(PublicKey(theirs)));
  }
}

TEST(X25519, WorksAfterARefusalAndLeavesNoErrorBehind) {
  constexpr auto kBob = "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f";
  DhKey own{PrivateKey(bytes("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"))};

  EXPECT_FALSE(own.agree(PublicKey()));
  const auto shared = own.agree(PublicKey(bytes(kBob)));

  ASSERT_TRUE(shared);
  EXPECT_EQ(to_hex(shared->expose()),
            "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
  EXPECT_EQ(ERR_peek_error(), 0u);
}

}  // namespace
}  // namespace ginnel::crypto
