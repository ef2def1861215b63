#include <benchmark/benchmark.h>

#include "core/wg/cookie.h"
#include "core/wg/noise.h"

namespace ginnel::wg {
namespace {

// Cheap and reproducible: the kernel's randomness is not what is measured here.
class CountingRng final : public Rng {
 public:
  void fill(ByteSpan out) override {
    for (std::uint8_t& byte : out) byte = next_++;
  }

 private:
  std::uint8_t next_ = 0;
};

struct Ends {
  CountingRng rng;
  Identity alice{crypto::PrivateKey::generate(rng)};
  Identity bob{crypto::PrivateKey::generate(rng)};
  StaticStatic alice_static = *alice.agree_with(bob.public_key());
  StaticStatic bob_static = *bob.agree_with(alice.public_key());
  CookieClient alice_macs, bob_macs;
  HandshakeInitiation initiation;
  HandshakeResponse response;

  auto initiate() {
    auto state = InitiatorState::begin(alice,
                                       {.peer = bob.public_key(),
                                        .static_static = alice_static,
                                        .timestamp = Tai64n(),
                                        .sender = SessionIndex{1}},
                                       rng, initiation);
    alice_macs.add_macs(alice, bob.public_key(), MonoTime{}, initiation);
    return state;
  }
  auto respond() {
    if (!has_valid_mac1(bob, bytes_of(initiation))) std::abort();
    auto state = ResponderState::begin(bob, initiation);
    if (!state || !state->authenticate(bob, initiation, bob_static)) std::abort();
    auto keys = state->respond(bob, {.psk = {}, .sender = SessionIndex{2}}, rng, response);
    bob_macs.add_macs(bob, alice.public_key(), MonoTime{}, response);
    return keys;
  }
};

// What bounds the handshakes a server can answer. Four multiplications (26 us each with ADX) and
// some 20 us around them: 22 Hmacs of 0.65 us, three sealed fields of 0.8 us, one imported key.
void BM_AnswerInitiation(benchmark::State& state) {
  Ends ends;
  if (!ends.initiate()) std::abort();
  for (auto _ : state) {
    auto keys = ends.respond();
    benchmark::DoNotOptimize(keys);
  }
}
BENCHMARK(BM_AnswerInitiation);

// The initiator's half: the same four multiplications, two for each message.
void BM_InitiateAndFinish(benchmark::State& state) {
  Ends ends;
  const auto sent = ends.initiate();
  if (!ends.respond()) std::abort();
  for (auto _ : state) {
    auto begun = ends.initiate();
    benchmark::DoNotOptimize(begun);
    auto keys = sent->finish(ends.alice, {}, ends.response);
    if (!keys) std::abort();
    benchmark::DoNotOptimize(keys);
  }
}
BENCHMARK(BM_InitiateAndFinish);

// A flood that knows our public key, under load: mac1, mac2 and the reply. Expect 2.5 us, a
// fiftieth of what the sender wants us to spend.
void BM_RefuseWithCookie(benchmark::State& state) {
  Ends ends;
  CookieServer server;
  const net::Endpoint source = *net::Endpoint::parse("192.0.2.1:51820");
  if (!ends.initiate()) std::abort();
  const ByteView message = bytes_of(ends.initiation);
  for (auto _ : state) {
    bool valid = has_valid_mac1(ends.bob, message);
    valid &= !server.has_valid_mac2(ends.bob, MonoTime{}, ends.rng, source, message);
    if (!valid) std::abort();
    auto reply = server.reply(ends.bob, MonoTime{}, ends.rng, source, message);
    benchmark::DoNotOptimize(reply);
  }
}
BENCHMARK(BM_RefuseWithCookie);

}  // namespace
}  // namespace ginnel::wg
