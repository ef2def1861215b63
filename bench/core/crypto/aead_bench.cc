#include "core/crypto/aead.h"

#include <benchmark/benchmark.h>

#include <vector>

namespace ginnel::crypto {
namespace {

constexpr std::size_t kBatch = 48;  // About what one GSO read of a TUN device splits into.

class Packets {
 public:
  explicit Packets(std::size_t size) : stride_(size + kTagSize), bytes_(kBatch * stride_) {
    for (std::size_t i = 0; i < kBatch; ++i) {
      jobs_.push_back(
          {.key = &key_, .counter = i, .data = ByteSpan(bytes_).subspan(i * stride_, stride_)});
    }
  }
  std::span<AeadJob> jobs() { return jobs_; }

 private:
  AeadKey key_{Secret<32>()};
  std::size_t stride_;
  std::vector<std::uint8_t> bytes_;
  std::vector<AeadJob> jobs_;
};

void count(benchmark::State& state) {
  state.SetBytesProcessed(state.iterations() * std::int64_t{kBatch} * state.range(0));
  state.SetItemsProcessed(state.iterations() * std::int64_t{kBatch});
}

// What the data path pays per packet: an acknowledgement, a voice packet, a full segment, a jumbo.
// Expect set-up to dominate at 64 bytes (libipsec-mb a third of OpenSSL's time), the cipher at 1420
// (half of it with AVX-512, four fifths without) and libipsec-mb to lead by a quarter at 8192.
void BM_SealBatch(benchmark::State& state, AeadLibrary library) {
  const auto batch = make_aead_batch(library);
  if (!batch) return state.SkipWithError("not on this machine");
  state.SetLabel(std::string(batch->name()));
  Packets packets(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) batch->seal(packets.jobs());
  count(state);
}

// Expect the time of BM_SealBatch, and for OpenSSL a little more: the packets are not authentic
// after the first round, which costs as much as if they were, plus the error it records.
void BM_OpenBatch(benchmark::State& state, AeadLibrary library) {
  const auto batch = make_aead_batch(library);
  if (!batch) return state.SkipWithError("not on this machine");
  state.SetLabel(std::string(batch->name()));
  Packets packets(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) batch->open(packets.jobs());
  count(state);
}

void sizes(benchmark::internal::Benchmark* bench) {
  bench->ArgName("bytes")->Arg(64)->Arg(256)->Arg(1420)->Arg(8192);
}
BENCHMARK_CAPTURE(BM_SealBatch, ipsec_mb, AeadLibrary::IpsecMb)->Apply(sizes);
BENCHMARK_CAPTURE(BM_SealBatch, ipsec_mb_avx2, AeadLibrary::IpsecMbAvx2)->Apply(sizes);
BENCHMARK_CAPTURE(BM_SealBatch, openssl, AeadLibrary::OpenSsl)->Apply(sizes);
BENCHMARK_CAPTURE(BM_OpenBatch, ipsec_mb, AeadLibrary::IpsecMb)->Apply(sizes);
BENCHMARK_CAPTURE(BM_OpenBatch, openssl, AeadLibrary::OpenSsl)->Apply(sizes);

// A handshake seals and opens five times. Expect 0.8 us, nearly all of it OpenSSL's set-up.
void BM_SealHandshakeField(benchmark::State& state) {
  Aead aead;
  const Secret<32> key;
  std::array<std::uint8_t, 32> additional{};
  std::array<std::uint8_t, 48> field{};
  for (auto _ : state) {
    aead.seal(key.expose(), 0, additional, ByteView(field).first(32), field);
    benchmark::DoNotOptimize(field);
  }
}
BENCHMARK(BM_SealHandshakeField);

// A cookie reply: two ciphers set up. Expect 1.2 us.
void BM_SealCookie(benchmark::State& state) {
  Aead aead;
  const Secret<32> key;
  const XNonce nonce{};
  std::array<std::uint8_t, 16> additional{};
  std::array<std::uint8_t, 32> field{};
  for (auto _ : state) {
    aead.seal_x(key.expose(), nonce, additional, ByteView(field).first(16), field);
    benchmark::DoNotOptimize(field);
  }
}
BENCHMARK(BM_SealCookie);

}  // namespace
}  // namespace ginnel::crypto
