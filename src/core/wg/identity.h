// A device's own key and what follows from it alone, computed once: everything that handshakes and
// cookies of that device have in common.
#pragma once

#include <optional>

#include "core/crypto/aead.h"
#include "core/crypto/blake2s.h"
#include "core/crypto/x25519.h"

namespace ginnel::wg {

// The running state of a Noise handshake: the chaining key and the hash of all that was said.
struct Transcript {
  Secret<32> chaining_key;
  crypto::Hash hash{};

  void mix_hash(crypto::Blake2s& blake2s, ByteView data) { hash = blake2s.hash({hash, data}); }
  Transcript duplicate() const { return {chaining_key.duplicate(), hash}; }
};

// The secret of a device's key and a peer's: 26 us to compute, the same for every handshake of the
// two, so it is kept with the peer.
class StaticStatic {
 public:
  explicit StaticStatic(Secret<32>&& secret) : secret_(std::move(secret)) {}
  ByteView expose() const { return secret_.expose(); }

 private:
  Secret<32> secret_;
};

// Not to be shared between threads: it holds the libraries' working memory.
class Identity {
 public:
  explicit Identity(crypto::PrivateKey&& key);

  const crypto::PrivateKey& private_key() const { return private_key_; }
  const crypto::PublicKey& public_key() const { return public_key_; }

  crypto::DhKey& dh() { return dh_; }
  crypto::Blake2s& blake2s() { return blake2s_; }
  crypto::Aead& aead() { return aead_; }

  // Nothing when the peer's key is a point of low order: no handshake with it can be secret.
  std::optional<StaticStatic> agree_with(const crypto::PublicKey& peer);

  // How a handshake begins whose responder is `responder`, and one in which we are.
  Transcript transcript_to(const crypto::PublicKey& responder);
  Transcript transcript_to_us() const { return to_us_.duplicate(); }

  // What others key the mac1 of messages to us with, and what we seal cookies with.
  const crypto::Hash& mac1_key() const { return mac1_key_; }
  const crypto::Hash& cookie_key() const { return cookie_key_; }

 private:
  crypto::PrivateKey private_key_;
  crypto::DhKey dh_;
  crypto::PublicKey public_key_;
  crypto::Blake2s blake2s_;
  crypto::Aead aead_;
  Transcript start_;  // Before any key is mixed in.
  Transcript to_us_;
  crypto::Hash mac1_key_;
  crypto::Hash cookie_key_;
};

// Hash(label || key): the keys that depend on the receiver of a message only.
crypto::Hash mac1_key_of(crypto::Blake2s& blake2s, const crypto::PublicKey& receiver);
crypto::Hash cookie_key_of(crypto::Blake2s& blake2s, const crypto::PublicKey& receiver);

}  // namespace ginnel::wg
