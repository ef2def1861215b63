#include "core/crypto/aead.h"

#include <gtest/gtest.h>
#include <openssl/err.h>

#include "base/text.h"
#include "support/seeded_rng.h"

namespace ginnel::crypto {
namespace {

using test::SeededRng;

using Bytes = std::vector<std::uint8_t>;

template <std::size_t kSize>
std::array<std::uint8_t, kSize> array(std::string_view hex) {
  std::array<std::uint8_t, kSize> out;
  EXPECT_TRUE(from_hex(hex, out)) << hex;
  return out;
}

Bytes bytes(std::string_view text) { return {text.begin(), text.end()}; }

// RFC 8439, appendix A.5. Its nonce, unlike that of section 2.8.2, begins with four zero bytes, as
// all of ours do.
constexpr std::string_view kRfcText =
    "Internet-Drafts are draft documents valid for a maximum of six months and may be updated, "
    "replaced, or obsoleted by other documents at any time. It is inappropriate to use "
    "Internet-Drafts as reference material or to cite them other than as "
    "/\xe2\x80\x9cwork in progress./\xe2\x80\x9d";
constexpr std::string_view kRfcSealed =
    "64a0861575861af460f062c79be643bd5e805cfd345cf389f108670ac76c8cb24c6cfc18755d43eea09ee94e38"
    "2d26b0bdb7b73c321b0100d4f03b7f355894cf332f830e710b97ce98c8a84abd0b948114ad176e008d33bd60f9"
    "82b1ff37c8559797a06ef4f0ef61c186324e2b3506383606907b6a7c02b0f9f6157b53c867e4b9166c767b804d"
    "46a59b5216cde7a4e99040c5a40433225ee282a1b0a06c523eaf4534d7f83fa1155b0047718cbc546a0d072b04"
    "b3564eea1b422273f548271a0bb2316053fa76991955ebd63159434ecebb4e466dae5a1073a6727627097a1049"
    "e617d91d361094fa68f0ff77987130305beaba2eda04df997b714d6c6f2c29a6ad5cb4022b02709beead9d6789"
    "0cbb22392336fea1851f38";

TEST(Aead, SealsAndOpensAsInRfc8439) {
  Aead aead;
  const auto key = array<32>("1c9240a5eb55d38af333888604f6b5f0473917c1402b80099dca5cbc207075c0");
  const auto additional = array<12>("f33388860000000000004e91");
  constexpr std::uint64_t kCounter = 0x0807060504030201;

  Bytes sealed(kRfcText.size() + kTagSize);
  aead.seal(key, kCounter, additional, bytes(kRfcText), sealed);
  Bytes opened(kRfcText.size());
  const bool authentic = aead.open(key, kCounter, additional, sealed, opened);

  EXPECT_EQ(to_hex(sealed), kRfcSealed);
  EXPECT_TRUE(authentic);
  EXPECT_EQ(opened, bytes(kRfcText));
}

TEST(Aead, DerivesTheSubkeyOfTheXChaChaDraft) {
  const auto key = array<32>("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
  const auto nonce = array<16>("000000090000004a0000000031415927");
  EXPECT_EQ(to_hex(Aead().hchacha20(key, nonce).expose()),
            "82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc");
}

// draft-irtf-cfrg-xchacha-03, appendix A.3.1.
TEST(Aead, SealsAndOpensAsInTheXChaChaDraft) {
  Aead aead;
  const auto key = array<32>("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f");
  const auto nonce = array<24>("404142434445464748494a4b4c4d4e4f5051525354555657");
  const auto additional = array<12>("50515253c0c1c2c3c4c5c6c7");
  const Bytes text = bytes(
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
      "sunscreen would be it.");

  Bytes sealed(text.size() + kTagSize);
  aead.seal_x(key, nonce, additional, text, sealed);
  Bytes opened(text.size());
  const bool authentic = aead.open_x(key, nonce, additional, sealed, opened);

  EXPECT_EQ(to_hex(sealed),
            "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a8"
            "2f4eda7e39ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369"
            "488f76b2383565d3fff921f9664c97637da9768812f615c68b13b52ec0875924c1c7987947deafd8780acf"
            "49");
  EXPECT_TRUE(authentic);
  EXPECT_EQ(opened, text);
}

TEST(Aead, AgreesWithTheBatchesWhereThereIsNoAdditionalData) {
  SeededRng rng(1);
  Aead aead;
  const auto batch = make_aead_batch();
  std::array<std::uint8_t, 32> key_bytes;
  rng.fill(key_bytes);
  const AeadKey key(key_bytes);
  for (const std::size_t size : {0u, 1u, 63u, 64u, 65u, 1420u}) {
    SCOPED_TRACE(size);
    const Bytes text = rng.bytes(size);
    Bytes batched = text;
    batched.resize(size + kTagSize);
    AeadJob job{.key = &key, .counter = 9, .data = batched};
    batch->seal({&job, 1});
    Bytes single(size + kTagSize);
    aead.seal(key.expose(), 9, {}, text, single);
    EXPECT_EQ(single, batched);
  }
}

// A handshake seals nothing but additional data; in place; and an empty plaintext.
TEST(Aead, WorksInPlaceAndWithoutPlaintext) {
  SeededRng rng(2);
  Aead aead;
  std::array<std::uint8_t, 32> key;
  rng.fill(key);
  const Bytes additional = rng.bytes(32);
  for (const std::size_t size : {0u, 12u, 32u}) {
    SCOPED_TRACE(size);
    const Bytes text = rng.bytes(size);
    Bytes data = text;
    data.resize(size + kTagSize);
    aead.seal(key, 0, additional, ByteView(data).first(size), data);
    EXPECT_TRUE(aead.open(key, 0, additional, data, ByteSpan(data).first(size)));
    data.resize(size);
    EXPECT_EQ(data, text);
  }
}

TEST(Aead, RefusesAndErasesWhatWasChanged) {
  SeededRng rng(3);
  Aead aead;
  std::array<std::uint8_t, 32> key;
  rng.fill(key);
  XNonce nonce;
  rng.fill(nonce);
  const Bytes additional = rng.bytes(16), text = rng.bytes(16);
  Bytes sealed(32), sealed_x(32);
  aead.seal(key, 0, additional, text, sealed);
  aead.seal_x(key, nonce, additional, text, sealed_x);

  for (std::size_t i = 0; i < 32 * 8; ++i) {
    auto flip = [i](Bytes data) {
      data[i / 8] = static_cast<std::uint8_t>(data[i / 8] ^ (1 << (i % 8)));
      return data;
    };
    Bytes out(16, 0xff);
    EXPECT_FALSE(aead.open(key, 0, additional, flip(sealed), out)) << i;
    EXPECT_EQ(out, Bytes(16, 0));
    EXPECT_FALSE(aead.open_x(key, nonce, additional, flip(sealed_x), out)) << i;
  }
  for (std::size_t i = 0; i < nonce.size(); ++i) {
    XNonce other = nonce;
    other[i] ^= 1;
    Bytes out(16);
    EXPECT_FALSE(aead.open_x(key, other, additional, sealed_x, out)) << i;
  }
  Bytes out(16);
  EXPECT_FALSE(aead.open(key, 0, {}, sealed, out));
  EXPECT_FALSE(aead.open(key, 1, additional, sealed, out));
  EXPECT_TRUE(aead.open(key, 0, additional, sealed, out));
  EXPECT_EQ(ERR_peek_error(), 0u);
}

}  // namespace
}  // namespace ginnel::crypto
