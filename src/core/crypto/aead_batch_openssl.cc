#include "core/crypto/aead_batch_openssl.h"

#include <openssl/evp.h>

#include "base/check.h"

namespace ginnel::crypto {
namespace {

// Points the context at the job's key and nonce. OpenSSL's set-up is most of the cost of a short
// packet, so a key that is already in place stays.
void start(EVP_CIPHER_CTX* context, const AeadJob& job, const AeadKey*& key_in_place) {
  CHECK(job.data.size() >= kTagSize);
  std::array<std::uint8_t, 12> nonce{};
  store<Le64>(ByteSpan(nonce).subspan(4), job.counter);
  const std::uint8_t* key = job.key == key_in_place ? nullptr : job.key->expose().data();
  CHECK(EVP_CipherInit_ex2(context, nullptr, key, nonce.data(), -1, nullptr) == 1);
  key_in_place = job.key;
}

void run(EVP_CIPHER_CTX* context, ByteSpan text) {
  int length = 0;
  if (text.empty()) return;
  CHECK(EVP_CipherUpdate(context, text.data(), &length, text.data(),
                         static_cast<int>(text.size())) == 1);
}

}  // namespace

OpenSslBatch::OpenSslBatch()
    : cipher_(EVP_CIPHER_fetch(nullptr, "ChaCha20-Poly1305", nullptr)),
      context_(EVP_CIPHER_CTX_new()) {
  CHECK(cipher_ != nullptr && context_ != nullptr);
}

void OpenSslBatch::seal(std::span<AeadJob> jobs) {
  EVP_CIPHER_CTX* const context = context_.get();
  CHECK(EVP_CipherInit_ex2(context, cipher_.get(), nullptr, nullptr, 1, nullptr) == 1);
  const AeadKey* key_in_place = nullptr;
  for (AeadJob& job : jobs) {
    start(context, job, key_in_place);
    const ByteSpan text = job.data.first(job.data.size() - kTagSize);
    const ByteSpan tag = job.data.last(kTagSize);
    run(context, text);
    int length = 0;
    CHECK(EVP_CipherFinal_ex(context, tag.data(), &length) == 1);
    CHECK(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kTagSize, tag.data()) == 1);
  }
  EVP_CIPHER_CTX_reset(context);  // Erases the key.
}

void OpenSslBatch::open(std::span<AeadJob> jobs) {
  const openssl::QuietErrors quiet;
  EVP_CIPHER_CTX* const context = context_.get();
  CHECK(EVP_CipherInit_ex2(context, cipher_.get(), nullptr, nullptr, 0, nullptr) == 1);
  const AeadKey* key_in_place = nullptr;
  for (AeadJob& job : jobs) {
    start(context, job, key_in_place);
    const ByteSpan text = job.data.first(job.data.size() - kTagSize);
    const ByteSpan tag = job.data.last(kTagSize);
    CHECK(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, kTagSize, tag.data()) == 1);
    run(context, text);
    int length = 0;
    std::array<std::uint8_t, kTagSize> rest;  // Final writes nothing for a stream cipher.
    job.authentic = EVP_CipherFinal_ex(context, rest.data(), &length) == 1;
  }
  EVP_CIPHER_CTX_reset(context);  // Erases the key.
}

std::unique_ptr<AeadBatch> make_openssl_batch() { return std::make_unique<OpenSslBatch>(); }

}  // namespace ginnel::crypto
