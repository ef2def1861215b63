// ChaCha20-Poly1305 (RFC 8439) and XChaCha20-Poly1305 for single messages with additional data:
// handshakes and cookies. Packets go through aead_batch.h. By OpenSSL.
#pragma once

#include "core/crypto/aead_batch.h"
#include "core/crypto/openssl.h"

namespace ginnel::crypto {

using XNonce = std::array<std::uint8_t, 24>;

// OpenSSL's ciphers, looked up once. Not to be shared between threads; keeps no key when a call
// returns. Input and output may be the same memory, but not overlap otherwise.
class Aead {
 public:
  using KeyView = std::span<const std::uint8_t, 32>;

  Aead();

  // REQUIRES: out.size() == plaintext.size() + kTagSize.
  void seal(KeyView key, std::uint64_t counter, ByteView additional, ByteView plaintext,
            ByteSpan out);
  // False, with `out` erased, when anything is not as it was sealed.
  // REQUIRES: sealed.size() == out.size() + kTagSize.
  [[nodiscard]] bool open(KeyView key, std::uint64_t counter, ByteView additional, ByteView sealed,
                          ByteSpan out);

  // The same with a nonce long enough to be drawn at random (draft-irtf-cfrg-xchacha).
  void seal_x(KeyView key, const XNonce& nonce, ByteView additional, ByteView plaintext,
              ByteSpan out);
  [[nodiscard]] bool open_x(KeyView key, const XNonce& nonce, ByteView additional, ByteView sealed,
                            ByteSpan out);

  // The first step of the above, public for its test vector.
  Secret<32> hchacha20(KeyView key, std::span<const std::uint8_t, 16> nonce);

 private:
  using Nonce = std::array<std::uint8_t, 12>;
  void seal_with(KeyView key, const Nonce& nonce, ByteView additional, ByteView plaintext,
                 ByteSpan out);
  bool open_with(KeyView key, const Nonce& nonce, ByteView additional, ByteView sealed,
                 ByteSpan out);

  openssl::Owner<evp_cipher_st> aead_;
  openssl::Owner<evp_cipher_st> stream_;
  openssl::Owner<evp_cipher_ctx_st> context_;
};

}  // namespace ginnel::crypto
