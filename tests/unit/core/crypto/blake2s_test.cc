#include "core/crypto/blake2s.h"

#include <gtest/gtest.h>

#include <numeric>
#include <string>

#include "base/text.h"

namespace ginnel::crypto {
namespace {

ByteView view(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// 00 01 02 ...
std::vector<std::uint8_t> counting(std::size_t size, std::uint8_t first = 0) {
  std::vector<std::uint8_t> bytes(size);
  std::iota(bytes.begin(), bytes.end(), first);
  return bytes;
}

TEST(Blake2s, HashesAsInRfc7693AppendixB) {
  EXPECT_EQ(to_hex(Blake2s().hash({view("abc")})),
            "508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982");
}

// Computed with Python's hashlib.blake2s and hmac: the messages 00 01 .. around the block size and
// as long as a handshake initiation up to its mac1, the key 00 01 .. 1f.
TEST(Blake2s, GivesTheHashesMacsAndHmacsOfAnotherImplementation) {
  struct Row {
    std::size_t size;
    std::string_view hash;
    std::string_view mac;
    std::string_view hmac;
  };
  constexpr Row kRows[] = {
      {0, "69217a3079908094e11121d042354a7c1f55b6482ca1a51e1b250dfd1ed0eef9",
       "9536f9b267655743dee97b8a670f9f53",
       "e2641d24dfa8dd89e8cb77f1cdc77d8c006e5bebdfc4d6a3a3a6f8d5b7586fb0"},
      {1, "e34d74dbaf4ff4c6abd871cc220451d2ea2648846c7757fbaac82fe51ad64bea",
       "13bacfb85b48a1223c595f8c1e7e82cb",
       "3c657ea8362eeb115466cc90a81a36d2994b7153729c01f50a19be2ca3cce643"},
      {63, "e57cb79487dd57902432b250733813bd96a84efce59f650fac26e6696aefafc3",
       "ece382a8bd5018f1de5da44b72cea75b",
       "4dba371c585b23403dc53dc5ababbe4264c339bd8d9a1440d8c06ce07c15f547"},
      {64, "56f34e8b96557e90c1f24b52d0c89d51086acf1b00f634cf1dde9233b8eaaa3e",
       "f1efa90d2547036841ecd3627fafbc36",
       "3b35e945d05ac982850451ac8b6cdfffb98e56f50b95272fab665de081691056"},
      {65, "1b53ee94aaf34e4b159d48de352c7f0661d0a40edff95a0b1639b4090e974472",
       "811ff8686d23a435ecbd0bdafcd27b1b",
       "e0bf9ad5f46ae7cb59268a338f24391ad8cc125148746599da55803c3d80c2e2"},
      {116, "e8e6e47071e7b7df2580f225cfbbedf84ce67746626628d33097e4b7dc571107",
       "072e94ffbfc684bd8ab2a1b9dade2fd5",
       "0119e95351eef73ccb5321dd3610aa43271b61dc1252f9cda567215f1caa313f"},
      {200, "6d244e1a06ce4ef578dd0f63aff0936706735119ca9c8d22d86c801414ab9741",
       "42a6f8ff590af21b512e9e088257aa34",
       "543eec9b22646365ef782d72dae137cc761d018005f8d33d0f20bfbd01e62974"},
  };
  Blake2s blake2s;
  const auto key = counting(32);
  for (const Row& row : kRows) {
    SCOPED_TRACE(row.size);
    const auto message = counting(row.size);
    EXPECT_EQ(to_hex(blake2s.hash({message})), row.hash);
    EXPECT_EQ(to_hex(blake2s.mac(key, {message})), row.mac);
    EXPECT_EQ(to_hex(blake2s.hmac(key, {message}).expose()), row.hmac);
  }
}

TEST(Blake2s, TakesShortMacKeys) {
  EXPECT_EQ(to_hex(Blake2s().mac(counting(16), {view("ginnel")})),
            "de267bd6f2e27891611a52162613462a");
}

TEST(Blake2s, HashesPartsAsOneMessage) {
  Blake2s blake2s;
  const auto message = counting(200);
  const auto key = counting(32);
  const ByteView whole = message;
  for (const std::size_t cut : {0u, 1u, 63u, 64u, 65u, 199u, 200u}) {
    const ByteView head = whole.first(cut), tail = whole.subspan(cut);
    EXPECT_EQ(blake2s.hash({head, tail}), blake2s.hash({whole})) << cut;
    EXPECT_EQ(blake2s.mac(key, {head, {}, tail}), blake2s.mac(key, {whole})) << cut;
    EXPECT_EQ(to_hex(blake2s.hmac(key, {head, tail}).expose()),
              to_hex(blake2s.hmac(key, {whole}).expose()))
        << cut;
  }
}

// Computed with Python's hmac over hashlib.blake2s, from the whitepaper's definition of Kdf: the
// key 00 01 .. 1f; no input, and the input 20 21 .. 3f.
TEST(Blake2s, DerivesTheKeysOfTheWhitepaper) {
  struct Row {
    std::size_t input_size;
    std::array<std::string_view, 3> keys;
  };
  constexpr Row kRows[] = {
      {0,
       {"7a38c34bf2b8738d7374ca77c44ecb309a11d2b2528304fa86052c365e722624",
        "1a17621f346abdc520746a9fb64d8eb03231d674fc15687537b0780fd9c060fd",
        "4eaf02809ac4b930ef63479de62275f1c55656e61f78a3cc653c18a2223d6c5f"}},
      {32,
       {"6a96444e20e8d4c1cee974416acae1c10b3c92886010e54ed94dafb2c3b80ea0",
        "57af120b0de7acbe7907ec149c5ae870a2dbb74232b65777ba4123f1f7f888f5",
        "0926c7caabb6e8d73beda759e6f4f0d324ce5b5000bcf8cd784b26db3049faa9"}},
  };
  Blake2s blake2s;
  const Secret<32> key(std::span<const std::uint8_t, 32>(counting(32)));
  for (const Row& row : kRows) {
    SCOPED_TRACE(row.input_size);
    const auto input = counting(row.input_size, 32);
    const Secret<32> one = blake2s.kdf1(key, input);
    const auto two = blake2s.kdf2(key, input);
    const auto three = blake2s.kdf3(key, input);
    EXPECT_EQ(to_hex(one.expose()), row.keys[0]);
    EXPECT_EQ(to_hex(two[0].expose()), row.keys[0]);
    EXPECT_EQ(to_hex(two[1].expose()), row.keys[1]);
    for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(to_hex(three[i].expose()), row.keys[i]) << i;
  }
}

}  // namespace
}  // namespace ginnel::crypto
