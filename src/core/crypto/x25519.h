// Diffie-Hellman on Curve25519 (RFC 7748), by OpenSSL.
#pragma once

#include <optional>

#include "core/crypto/keys.h"
#include "core/crypto/openssl.h"

namespace ginnel::crypto {

// One private key made ready for use: worth keeping where it is used more than once, because
// OpenSSL takes 4 us to set one up, beside 26 us for each multiplication. Not to be shared
// between threads.
class DhKey {
 public:
  explicit DhKey(const PrivateKey& own);

  PublicKey public_key();

  // The secret shared with `theirs`, or nothing when it would be all zeros: such a point has low
  // order, and the "secret" would be known to everyone.
  std::optional<Secret<kKeySize>> agree(const PublicKey& theirs);

 private:
  openssl::Owner<evp_pkey_st> peer_;  // Scratch: the other side's key in OpenSSL's form.
  openssl::Owner<evp_pkey_ctx_st> context_;
};

// DhKey(own).agree(theirs), for the odd single use.
std::optional<Secret<kKeySize>> x25519(const PrivateKey& own, const PublicKey& theirs);

}  // namespace ginnel::crypto
