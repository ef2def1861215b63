#include "core/crypto/keys.h"

#include <fmt/format.h>

#include "base/text.h"
#include "core/crypto/x25519.h"

namespace ginnel::crypto {
namespace {

std::unexpected<Error> not_base64(std::string_view what, std::string_view remedy) {
  return fail(ErrorCode::InvalidArgument,
              fmt::format("not a {}: expected 44 characters of base64; {}", what, remedy));
}
std::unexpected<Error> not_hex(std::string_view what) {
  return fail(ErrorCode::InvalidArgument,
              fmt::format("not a {}: expected 64 hexadecimal digits", what));
}

}  // namespace

Result<PublicKey> PublicKey::parse(std::string_view base64) {
  PublicKey key;
  if (!ginnel::from_base64(base64, key.bytes_)) {
    return not_base64("public key", "`ginnel pubkey` makes it from the private key");
  }
  return key;
}

Result<PublicKey> PublicKey::from_hex(std::string_view hex) {
  PublicKey key;
  if (!ginnel::from_hex(hex, key.bytes_)) return not_hex("public key");
  return key;
}

std::string PublicKey::to_base64() const { return ginnel::to_base64(bytes_); }
std::string PublicKey::to_hex() const { return ginnel::to_hex(bytes_); }

PrivateKey PrivateKey::generate(Rng& rng) {
  PrivateKey key;
  const std::span<std::uint8_t, kKeySize> bytes = key.secret_.expose_mutable();
  rng.fill(bytes);
  bytes[0] &= 0xf8;
  bytes[31] = static_cast<std::uint8_t>((bytes[31] & 0x7f) | 0x40);
  return key;
}

Result<PrivateKey> PrivateKey::parse(std::string_view base64) {
  PrivateKey key;
  if (!ginnel::from_base64(base64, key.secret_.expose_mutable())) {
    return not_base64("private key", "make one with `ginnel genkey`");
  }
  return key;
}

Result<PrivateKey> PrivateKey::from_hex(std::string_view hex) {
  PrivateKey key;
  if (!ginnel::from_hex(hex, key.secret_.expose_mutable())) return not_hex("private key");
  return key;
}

PublicKey PrivateKey::public_key() const { return DhKey(*this).public_key(); }
std::string PrivateKey::expose_as_base64() const { return ginnel::to_base64(expose()); }
std::string PrivateKey::expose_as_hex() const { return ginnel::to_hex(expose()); }

PresharedKey PresharedKey::generate(Rng& rng) {
  PresharedKey key;
  rng.fill(key.secret_.expose_mutable());
  return key;
}

Result<PresharedKey> PresharedKey::parse(std::string_view base64) {
  PresharedKey key;
  if (!ginnel::from_base64(base64, key.secret_.expose_mutable())) {
    return not_base64("preshared key", "make one with `ginnel genpsk`");
  }
  return key;
}

Result<PresharedKey> PresharedKey::from_hex(std::string_view hex) {
  PresharedKey key;
  if (!ginnel::from_hex(hex, key.secret_.expose_mutable())) return not_hex("preshared key");
  return key;
}

std::string PresharedKey::expose_as_base64() const { return ginnel::to_base64(expose()); }
std::string PresharedKey::expose_as_hex() const { return ginnel::to_hex(expose()); }

}  // namespace ginnel::crypto

std::size_t std::hash<ginnel::crypto::PublicKey>::operator()(
    const ginnel::crypto::PublicKey& key) const noexcept {
  std::array<std::uint64_t, 4> words;
  std::memcpy(words.data(), key.bytes().data(), sizeof words);
  std::uint64_t mixed = 0;
  for (const std::uint64_t word : words) {
    mixed = (std::rotl(mixed, 23) ^ word) * 0x9e3779b97f4a7c15u;
  }
  return static_cast<std::size_t>(mixed ^ (mixed >> 32));
}
