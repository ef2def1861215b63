// ChaCha20-Poly1305 (RFC 8439) for many packets at a time: the seam between the data path and the
// libraries that can do it. Nonces are WireGuard's: four zero bytes and a counter; no additional
// data.
#pragma once

#include <memory>
#include <string_view>

#include "base/bytes.h"
#include "base/secret.h"

namespace ginnel::crypto {

inline constexpr std::size_t kTagSize = 16;

// One direction of a session. Immutable, so any number of threads may use one at a time.
class AeadKey {
 public:
  explicit AeadKey(Secret<32>&& key) : secret_(std::move(key)) {}
  explicit AeadKey(std::span<const std::uint8_t, 32> bytes) : secret_(bytes) {}
  std::span<const std::uint8_t, 32> expose() const { return secret_.expose(); }

 private:
  Secret<32> secret_;
};

struct AeadJob {
  const AeadKey* key = nullptr;  // Only for the length of the call.
  std::uint64_t counter = 0;
  // Both ways in place. To seal: the plaintext, and kTagSize bytes behind it for the tag. To open:
  // the ciphertext and its tag. REQUIRES: data.size() >= kTagSize.
  ByteSpan data;
  // Set by open(): the tag is right, and the plaintext stands in front of it. Otherwise the bytes
  // are unspecified and must not be looked at.
  bool authentic = false;
};

// Not to be shared between threads; cheap to use, not to make. Keeps no key when a call returns.
class AeadBatch {
 public:
  virtual ~AeadBatch() = default;
  virtual void seal(std::span<AeadJob> jobs) = 0;
  virtual void open(std::span<AeadJob> jobs) = 0;
  virtual std::string_view name() const = 0;  // For `ginnel bench` and the log.
};

enum class AeadLibrary {
  Automatic,    // The fastest that this machine has.
  OpenSsl,      // Everywhere.
  IpsecMb,      // x86-64, with what this CPU can.
  IpsecMbAvx2,  // x86-64, as on a CPU without AVX-512.
  IpsecMbSse,   // x86-64, as on a CPU without AVX.
};

// Null when this machine does not have the library; never for Automatic and OpenSsl.
std::unique_ptr<AeadBatch> make_aead_batch(AeadLibrary library = AeadLibrary::Automatic);

}  // namespace ginnel::crypto
