#include "core/wg/noise.h"

#include "base/check.h"

namespace ginnel::wg {
namespace {

// The steps that both ends take, under Noise's names. The transcript of a failed handshake is
// thrown away, so it may be left half changed.
class Mixer {
 public:
  Mixer(Identity& identity, Transcript& transcript)
      : blake2s_(identity.blake2s()), aead_(identity.aead()), transcript_(transcript) {}

  void ephemeral(const crypto::PublicKey& key) {
    mix_key(key.bytes());
    transcript_.mix_hash(blake2s_, key.bytes());
  }

  void mix_key(ByteView input) {
    transcript_.chaining_key = blake2s_.kdf1(transcript_.chaining_key, input);
  }
  // False when there is nothing to mix: the point was of low order.
  [[nodiscard]] bool mix_shared(const std::optional<Secret<32>>& shared) {
    if (shared) mix_key(shared->expose());
    return shared.has_value();
  }

  // A key for one sealed field, which `input` and all before it go into.
  Secret<32> field_key(ByteView input) {
    auto [chaining_key, key] = blake2s_.kdf2(transcript_.chaining_key, input);
    transcript_.chaining_key = std::move(chaining_key);
    return std::move(key);
  }
  Secret<32> field_key_of_psk(const crypto::PresharedKey& psk) {
    auto [chaining_key, hashed, key] = blake2s_.kdf3(transcript_.chaining_key, psk.expose());
    transcript_.chaining_key = std::move(chaining_key);
    transcript_.mix_hash(blake2s_, hashed.expose());
    return std::move(key);
  }

  void seal(const Secret<32>& key, ByteView text, ByteSpan field) {
    aead_.seal(key.expose(), 0, transcript_.hash, text, field);
    transcript_.mix_hash(blake2s_, field);
  }
  [[nodiscard]] bool open(const Secret<32>& key, ByteView field, ByteSpan text) {
    if (!aead_.open(key.expose(), 0, transcript_.hash, field, text)) return false;
    transcript_.mix_hash(blake2s_, field);
    return true;
  }

  // The transport keys: the initiator sends with the first.
  std::array<Secret<32>, 2> split() { return blake2s_.kdf2(transcript_.chaining_key, {}); }

 private:
  crypto::Blake2s& blake2s_;
  crypto::Aead& aead_;
  Transcript& transcript_;
};

std::unexpected<Drop> low_order() { return std::unexpected(Drop::LowOrderPoint); }
std::unexpected<Drop> bad() { return std::unexpected(Drop::BadHandshake); }

}  // namespace

Result<InitiatorState, Drop> InitiatorState::begin(Identity& identity, const Setup& setup, Rng& rng,
                                                   HandshakeInitiation& out) {
  InitiatorState state;
  state.transcript_ = identity.transcript_to(setup.peer);
  state.ephemeral_ = crypto::PrivateKey::generate(rng);
  Mixer mixer(identity, state.transcript_);

  out = HandshakeInitiation{};
  out.sender.set(static_cast<std::uint32_t>(setup.sender));
  crypto::DhKey dh(state.ephemeral_);
  const crypto::PublicKey ephemeral = dh.public_key();
  std::ranges::copy(ephemeral.bytes(), out.ephemeral.begin());
  mixer.ephemeral(ephemeral);

  const auto shared = dh.agree(setup.peer);
  if (!shared) return low_order();
  mixer.seal(mixer.field_key(shared->expose()), identity.public_key().bytes(), out.sealed_static);
  mixer.seal(mixer.field_key(setup.static_static.expose()), setup.timestamp.bytes(),
             out.sealed_timestamp);
  return state;
}

Result<SessionKeys, Drop> InitiatorState::finish(Identity& identity,
                                                 const crypto::PresharedKey& psk,
                                                 const HandshakeResponse& response) const {
  Transcript transcript = transcript_.duplicate();
  Mixer mixer(identity, transcript);
  const crypto::PublicKey ephemeral(response.ephemeral);
  mixer.ephemeral(ephemeral);
  crypto::DhKey dh(ephemeral_);
  if (!mixer.mix_shared(dh.agree(ephemeral))) return low_order();
  if (!mixer.mix_shared(identity.dh().agree(ephemeral))) return low_order();
  if (!mixer.open(mixer.field_key_of_psk(psk), response.sealed_nothing, {})) return bad();

  auto [first, second] = mixer.split();
  return SessionKeys{.send = crypto::AeadKey(std::move(first)),
                     .receive = crypto::AeadKey(std::move(second))};
}

Result<ResponderState, Drop> ResponderState::begin(Identity& identity,
                                                   const HandshakeInitiation& initiation) {
  ResponderState state;
  state.transcript_ = identity.transcript_to_us();
  state.peer_ephemeral_ = crypto::PublicKey(initiation.ephemeral);
  state.receiver_ = SessionIndex{initiation.sender.get()};
  Mixer mixer(identity, state.transcript_);
  mixer.ephemeral(state.peer_ephemeral_);

  const auto shared = identity.dh().agree(state.peer_ephemeral_);
  if (!shared) return low_order();
  std::array<std::uint8_t, crypto::kKeySize> peer;
  if (!mixer.open(mixer.field_key(shared->expose()), initiation.sealed_static, peer)) return bad();
  state.peer_ = crypto::PublicKey(peer);
  return state;
}

Result<Tai64n, Drop> ResponderState::authenticate(Identity& identity,
                                                  const HandshakeInitiation& initiation,
                                                  const StaticStatic& static_static) {
  CHECK(!authenticated_);
  Mixer mixer(identity, transcript_);
  std::array<std::uint8_t, Tai64n::kSize> timestamp;
  if (!mixer.open(mixer.field_key(static_static.expose()), initiation.sealed_timestamp,
                  timestamp)) {
    return bad();
  }
  authenticated_ = true;
  return Tai64n(timestamp);
}

Result<SessionKeys, Drop> ResponderState::respond(Identity& identity, const Setup& setup, Rng& rng,
                                                  HandshakeResponse& out) {
  CHECK(authenticated_);
  Mixer mixer(identity, transcript_);
  out = HandshakeResponse{};
  out.sender.set(static_cast<std::uint32_t>(setup.sender));
  out.receiver.set(static_cast<std::uint32_t>(receiver_));

  crypto::DhKey dh(crypto::PrivateKey::generate(rng));
  const crypto::PublicKey ephemeral = dh.public_key();
  std::ranges::copy(ephemeral.bytes(), out.ephemeral.begin());
  mixer.ephemeral(ephemeral);
  if (!mixer.mix_shared(dh.agree(peer_ephemeral_))) return low_order();
  if (!mixer.mix_shared(dh.agree(peer_))) return low_order();
  mixer.seal(mixer.field_key_of_psk(setup.psk), {}, out.sealed_nothing);

  auto [first, second] = mixer.split();
  return SessionKeys{.send = crypto::AeadKey(std::move(second)),
                     .receive = crypto::AeadKey(std::move(first))};
}

}  // namespace ginnel::wg
