// The batch AEAD by OpenSSL: every CPU, and packets without a byte of plaintext.
#pragma once

#include "core/crypto/aead_batch.h"
#include "core/crypto/openssl.h"

namespace ginnel::crypto {

class OpenSslBatch final : public AeadBatch {
 public:
  OpenSslBatch();
  void seal(std::span<AeadJob> jobs) override;
  void open(std::span<AeadJob> jobs) override;
  std::string_view name() const override { return "OpenSSL"; }

 private:
  openssl::Owner<evp_cipher_st> cipher_;
  openssl::Owner<evp_cipher_ctx_st> context_;
};

std::unique_ptr<AeadBatch> make_openssl_batch();

}  // namespace ginnel::crypto
