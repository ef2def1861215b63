#include "core/wg/identity.h"

namespace ginnel::wg {
namespace {

ByteView view(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// Whitepaper, section 5.4.
constexpr std::string_view kConstruction = "Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s";
constexpr std::string_view kIdentifier = "WireGuard v1 zx2c4 Jason@zx2c4.com";
constexpr std::string_view kLabelMac1 = "mac1----";
constexpr std::string_view kLabelCookie = "cookie--";

Transcript start_of(crypto::Blake2s& blake2s) {
  const crypto::Hash construction = blake2s.hash({view(kConstruction)});
  return {Secret<32>(construction), blake2s.hash({construction, view(kIdentifier)})};
}

}  // namespace

Identity::Identity(crypto::PrivateKey&& key)
    : private_key_(std::move(key)),
      dh_(private_key_),
      public_key_(dh_.public_key()),
      start_(start_of(blake2s_)),
      to_us_(transcript_to(public_key_)),
      mac1_key_(mac1_key_of(blake2s_, public_key_)),
      cookie_key_(cookie_key_of(blake2s_, public_key_)) {}

std::optional<StaticStatic> Identity::agree_with(const crypto::PublicKey& peer) {
  std::optional<Secret<32>> shared = dh_.agree(peer);
  if (!shared) return std::nullopt;
  return StaticStatic(std::move(*shared));
}

Transcript Identity::transcript_to(const crypto::PublicKey& responder) {
  Transcript transcript = start_.duplicate();
  transcript.mix_hash(blake2s_, responder.bytes());
  return transcript;
}

crypto::Hash mac1_key_of(crypto::Blake2s& blake2s, const crypto::PublicKey& receiver) {
  return blake2s.hash({view(kLabelMac1), receiver.bytes()});
}

crypto::Hash cookie_key_of(crypto::Blake2s& blake2s, const crypto::PublicKey& receiver) {
  return blake2s.hash({view(kLabelCookie), receiver.bytes()});
}

}  // namespace ginnel::wg
