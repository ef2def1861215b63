#include <benchmark/benchmark.h>

#include "core/crypto/blake2s.h"
#include "core/crypto/x25519.h"

namespace ginnel::crypto {
namespace {

constexpr std::array<std::uint8_t, kKeySize> kBytes{0x50, 7, 9};

// The unit of handshakes. Expect the multiplication (26 us with ADX) and nothing else.
void BM_AgreeWithKeptKey(benchmark::State& state) {
  DhKey own{PrivateKey(kBytes)};
  const PublicKey theirs = PrivateKey(kBytes).public_key();
  for (auto _ : state) {
    auto shared = own.agree(theirs);
    benchmark::DoNotOptimize(shared);
  }
}
BENCHMARK(BM_AgreeWithKeptKey);

// Expect 5 us more: what OpenSSL takes to import a key.
void BM_AgreeOnce(benchmark::State& state) {
  const PrivateKey own(kBytes);
  const PublicKey theirs = own.public_key();
  for (auto _ : state) {
    auto shared = x25519(own, theirs);
    benchmark::DoNotOptimize(shared);
  }
}
BENCHMARK(BM_AgreeOnce);

// What every hostile datagram of the right size costs. Expect 0.45 us: two compressions and
// OpenSSL's set-up, about equal.
void BM_Mac1OfInitiation(benchmark::State& state) {
  Blake2s blake2s;
  std::array<std::uint8_t, 116> message{};
  for (auto _ : state) {
    auto mac = blake2s.mac(kBytes, {message});
    benchmark::DoNotOptimize(mac);
  }
}
BENCHMARK(BM_Mac1OfInitiation);

// A handshake has eight of these at each end. Expect three Hmacs of two hashes of 0.3 us each.
void BM_Kdf2(benchmark::State& state) {
  Blake2s blake2s;
  const Secret<32> key(kBytes);
  for (auto _ : state) {
    auto keys = blake2s.kdf2(key, kBytes);
    benchmark::DoNotOptimize(keys);
  }
}
BENCHMARK(BM_Kdf2);

}  // namespace
}  // namespace ginnel::crypto
