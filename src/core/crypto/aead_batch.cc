#include "core/crypto/aead_batch.h"

#include "core/crypto/aead_batch_ipsec_mb.h"
#include "core/crypto/aead_batch_openssl.h"

namespace ginnel::crypto {

std::unique_ptr<AeadBatch> make_aead_batch(AeadLibrary library) {
  if (library == AeadLibrary::OpenSsl) return make_openssl_batch();
  std::unique_ptr<AeadBatch> batch = make_ipsec_mb_batch(library);
  if (!batch && library == AeadLibrary::Automatic) return make_openssl_batch();
  return batch;
}

}  // namespace ginnel::crypto
