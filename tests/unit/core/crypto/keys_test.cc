#include "core/crypto/keys.h"

#include <gtest/gtest.h>

#include <type_traits>
#include <unordered_set>

#include "base/text.h"
#include "support/seeded_rng.h"

namespace ginnel::crypto {
namespace {

using test::SeededRng;

// RFC 7748, section 6.1: Alice's key pair.
constexpr std::string_view kPrivateHex =
    "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a";
constexpr std::string_view kPublicHex =
    "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a";

TEST(PublicKey, RoundTripsAsBase64AndHex) {
  const auto key = PublicKey::parse("hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=");
  ASSERT_TRUE(key);
  EXPECT_EQ(key->to_base64(), "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=");
  EXPECT_EQ(key->to_hex(), kPublicHex);
  EXPECT_EQ(PublicKey::from_hex(key->to_hex()), *key);
}

TEST(PublicKey, ComparesAndHashesByAllItsBytes) {
  PublicKey zero;
  EXPECT_TRUE(zero.is_zero());
  std::unordered_set<PublicKey> seen;
  for (std::size_t i = 0; i < kKeySize; ++i) {
    std::array<std::uint8_t, kKeySize> bytes{};
    bytes[i] = 1;
    const PublicKey key(bytes);
    EXPECT_NE(key, zero);
    EXPECT_LT(zero, key);
    EXPECT_FALSE(key.is_zero());
    EXPECT_TRUE(seen.insert(key).second);
    EXPECT_NE(std::hash<PublicKey>()(key), std::hash<PublicKey>()(zero)) << i;
  }
}

// One table for the three key types, whose parsers must agree.
TEST(Keys, AcceptOnlyThirtyTwoBytesInCanonicalBase64) {
  struct Row {
    std::string_view text;
    bool valid;
  };
  constexpr Row kRows[] = {
      {"hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=", true},
      {"", false},
      {"hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo", false},
      {"hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo==", false},
      {"hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=\n", false},
      {" hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo", false},
      {"hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmp=", false},  // A bit set beyond the 32nd byte.
      {"hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmoA", false},  // 33 bytes.
      {"hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTm==", false},  // 31 bytes.
      {"-SDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=", false},  // The URL alphabet.
      {"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", true},
  };
  for (const Row& row : kRows) {
    SCOPED_TRACE(row.text);
    EXPECT_EQ(PublicKey::parse(row.text).has_value(), row.valid);
    EXPECT_EQ(PrivateKey::parse(row.text).has_value(), row.valid);
    EXPECT_EQ(PresharedKey::parse(row.text).has_value(), row.valid);
  }
}

TEST(Keys, AcceptOnlySixtyFourHexDigits) {
  struct Row {
    std::size_t digits;
    char digit;
    bool valid;
  };
  constexpr Row kRows[] = {{64, 'a', true},  {64, 'F', true},  {63, 'a', false}, {65, 'a', false},
                           {66, 'a', false}, {62, 'a', false}, {64, 'g', false}, {0, 'a', false}};
  for (const auto& [digits, digit, valid] : kRows) {
    const std::string text(digits, digit);
    SCOPED_TRACE(text);
    EXPECT_EQ(PublicKey::from_hex(text).has_value(), valid);
    EXPECT_EQ(PrivateKey::from_hex(text).has_value(), valid);
    EXPECT_EQ(PresharedKey::from_hex(text).has_value(), valid);
  }
}

TEST(Keys, SayWhatIsWrongWithoutRepeatingTheText) {
  const std::string almost = "4GgaNIAvQ5Z1l1nvGIOS8pXHlGh5n4OEQW7Ly7kNQ1k";  // Lacks its padding.
  const std::string messages[] = {
      PublicKey::parse(almost).error().message,     PrivateKey::parse(almost).error().message,
      PresharedKey::parse(almost).error().message,  PublicKey::from_hex(almost).error().message,
      PrivateKey::from_hex(almost).error().message, PresharedKey::from_hex(almost).error().message,
  };
  for (const std::string& message : messages) {
    EXPECT_EQ(message.find(almost.substr(0, 4)), std::string::npos) << message;
    EXPECT_NE(message.find("expected"), std::string::npos) << message;
  }
  EXPECT_NE(messages[1].find("ginnel genkey"), std::string::npos);
  EXPECT_NE(messages[2].find("ginnel genpsk"), std::string::npos);
}

TEST(PrivateKey, HasThePublicKeyOfTheSpecification) {
  const auto key = PrivateKey::from_hex(kPrivateHex);
  ASSERT_TRUE(key);
  EXPECT_EQ(key->expose_as_hex(), kPrivateHex);
  EXPECT_EQ(key->public_key().to_hex(), kPublicHex);
}

TEST(PrivateKey, IsMovedNotCopiedAndEmptyAfterwards) {
  static_assert(!std::is_copy_constructible_v<PrivateKey> && !std::equality_comparable<PrivateKey>);
  static_assert(!std::is_copy_constructible_v<PresharedKey>);
  static_assert(!std::equality_comparable<PresharedKey>);
  SeededRng rng(1);
  PrivateKey key = PrivateKey::generate(rng);
  const std::string text = key.expose_as_base64();
  PrivateKey copy = key.duplicate();

  const PrivateKey moved = std::move(key);

  EXPECT_EQ(moved.expose_as_base64(), text);
  EXPECT_EQ(copy.expose_as_base64(), text);
  EXPECT_TRUE(key.is_zero());  // NOLINT(bugprone-use-after-move): erasing it is the promise.
}

TEST(PrivateKey, GeneratesClampedKeys) {
  SeededRng rng(2);
  for (int i = 0; i < 32; ++i) {
    const PrivateKey key = PrivateKey::generate(rng);
    EXPECT_EQ(key.expose()[0] & 7, 0);
    EXPECT_EQ(key.expose()[31] & 0xc0, 0x40);
  }
}

TEST(PrivateKey, KeepsUnclampedBytesButUsesThemClamped) {
  std::array<std::uint8_t, kKeySize> bytes;
  bytes.fill(0xff);
  const PrivateKey given(bytes);
  bytes[0] = 0xf8;
  bytes[31] = 0x7f;
  EXPECT_EQ(given.expose_as_hex(), std::string(64, 'f'));
  EXPECT_EQ(given.public_key(), PrivateKey(bytes).public_key());
}

TEST(PresharedKey, IsZerosUnlessGiven) {
  SeededRng rng(3);
  EXPECT_TRUE(PresharedKey().is_zero());
  EXPECT_FALSE(PresharedKey::generate(rng).is_zero());
  const auto parsed = PresharedKey::from_hex(kPrivateHex);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->duplicate().expose_as_hex(), kPrivateHex);
  EXPECT_EQ(PresharedKey::parse(parsed->expose_as_base64())->expose_as_hex(), kPrivateHex);
}

}  // namespace
}  // namespace ginnel::crypto
