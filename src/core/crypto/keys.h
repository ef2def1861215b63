// The key types of WireGuard. A public key is a value like any other; a private or preshared key is
// moved, never copied, cannot be printed or compared by accident, and is erased when it dies.
#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/rng.h"
#include "base/secret.h"

namespace ginnel::crypto {

inline constexpr std::size_t kKeySize = 32;
using KeyView = std::span<const std::uint8_t, kKeySize>;

// A Curve25519 public key. Any 32 bytes are one; whether it is a point worth talking to shows when
// it is used (x25519.h).
class PublicKey {
 public:
  PublicKey() = default;  // All zeros, which is nobody's key.
  explicit PublicKey(KeyView bytes) { std::copy(bytes.begin(), bytes.end(), bytes_.begin()); }

  // Errors name what was expected and never repeat the text: it may be a secret, pasted wrongly.
  static Result<PublicKey> parse(std::string_view base64);
  static Result<PublicKey> from_hex(std::string_view hex);

  std::string to_base64() const;
  std::string to_hex() const;
  KeyView bytes() const { return bytes_; }
  bool is_zero() const { return *this == PublicKey(); }

  friend auto operator<=>(const PublicKey&, const PublicKey&) = default;

 private:
  std::array<std::uint8_t, kKeySize> bytes_{};
};

// A Curve25519 private key. The bytes are kept as they were given, so that a file round-trips, and
// clamped whenever they are used.
class PrivateKey {
 public:
  PrivateKey() = default;  // All zeros, which stands for "no key" on the control socket.
  explicit PrivateKey(KeyView bytes) : secret_(bytes) {}

  static PrivateKey generate(Rng& rng);  // Clamped.
  static Result<PrivateKey> parse(std::string_view base64);
  static Result<PrivateKey> from_hex(std::string_view hex);

  // One scalar multiplication: keep the result where it is needed more than once.
  PublicKey public_key() const;

  PrivateKey duplicate() const { return PrivateKey(secret_.expose()); }
  bool is_zero() const { return secret_.is_zero(); }
  KeyView expose() const { return secret_.expose(); }
  // The caller has the secret in its hands then, in a string that nobody erases.
  std::string expose_as_base64() const;
  std::string expose_as_hex() const;

 private:
  Secret<kKeySize> secret_;
};

// The optional symmetric key of two peers. Zeros mean that there is none, and are mixed in as such.
class PresharedKey {
 public:
  PresharedKey() = default;
  explicit PresharedKey(KeyView bytes) : secret_(bytes) {}

  static PresharedKey generate(Rng& rng);
  static Result<PresharedKey> parse(std::string_view base64);
  static Result<PresharedKey> from_hex(std::string_view hex);

  PresharedKey duplicate() const { return PresharedKey(secret_.expose()); }
  bool is_zero() const { return secret_.is_zero(); }
  KeyView expose() const { return secret_.expose(); }
  std::string expose_as_base64() const;
  std::string expose_as_hex() const;

 private:
  Secret<kKeySize> secret_;
};

}  // namespace ginnel::crypto

// Not seeded: whoever may add peers could make collisions, but only to the harm of its own table.
template <>
struct std::hash<ginnel::crypto::PublicKey> {
  std::size_t operator()(const ginnel::crypto::PublicKey& key) const noexcept;
};
