#include "service/bench/crypto_bench.h"

#include <algorithm>
#include <functional>
#include <limits>

#include "base/check.h"
#include "core/crypto/x25519.h"
#include "os/clock.h"
#include "os/system_rng.h"

namespace ginnel::bench {
namespace {

constexpr std::size_t kBatch = 48;  // About what one super-packet of a TUN device is cut into.
constexpr int kParts = 5;           // The best of them counts: what disturbs only ever costs time.

// Nanoseconds for one call of `work`.
double measure(Duration time, const std::function<void()>& work) {
  const os::Clock clock;
  work();  // Warms up.
  double best = std::numeric_limits<double>::max();
  for (int part = 0; part < kParts; ++part) {
    const MonoTime began = clock.mono();
    MonoTime now = began;
    std::uint64_t calls = 0;
    while (now - began < time / kParts) {
      work();
      ++calls;
      now = clock.mono();
    }
    best = std::min(best, static_cast<double>((now - began).count()) / static_cast<double>(calls));
  }
  return best;
}

AeadCost measure_one(crypto::AeadBatch& aead, std::size_t size, Duration each) {
  const std::size_t stride = size + crypto::kTagSize;
  const crypto::AeadKey key{Secret<32>()};
  std::vector<std::uint8_t> bytes(kBatch * stride);
  std::vector<crypto::AeadJob> jobs;
  for (std::size_t i = 0; i < kBatch; ++i) {
    jobs.push_back(
        {.key = &key, .counter = i, .data = ByteSpan(bytes).subspan(i * stride, stride)});
  }
  AeadCost cost{.library = std::string(aead.name()), .bytes = size};
  cost.seal_ns = measure(each, [&] { aead.seal(jobs); }) / kBatch;
  // Authentic only the first time, which costs the same.
  cost.open_ns = measure(each, [&] { aead.open(jobs); }) / kBatch;
  return cost;
}

}  // namespace

std::vector<AeadCost> measure_aead(Duration each) {
  std::vector<AeadCost> costs;
  for (const auto library : {crypto::AeadLibrary::IpsecMb, crypto::AeadLibrary::IpsecMbAvx2,
                             crypto::AeadLibrary::IpsecMbSse, crypto::AeadLibrary::OpenSsl}) {
    const auto aead = crypto::make_aead_batch(library);
    if (!aead) continue;
    const auto is_same = [&](const AeadCost& cost) { return cost.library == aead->name(); };
    if (std::ranges::any_of(costs, is_same)) continue;  // The best there is may be the second.
    for (const std::size_t size : kAeadSizes) costs.push_back(measure_one(*aead, size, each));
  }
  return costs;
}

double measure_x25519_us(Duration each) {
  os::SystemRng rng;
  crypto::DhKey own(crypto::PrivateKey::generate(rng));
  const crypto::PublicKey theirs = crypto::PrivateKey::generate(rng).public_key();
  return measure(each, [&] { CHECK(own.agree(theirs)); }) / 1e3;
}

}  // namespace ginnel::bench
