#include "core/crypto/openssl.h"

#include <openssl/err.h>
#include <openssl/evp.h>

namespace ginnel::crypto::openssl {

void Free::operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
void Free::operator()(EVP_CIPHER* cipher) const { EVP_CIPHER_free(cipher); }
void Free::operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
void Free::operator()(EVP_MAC* mac) const { EVP_MAC_free(mac); }
void Free::operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
void Free::operator()(EVP_MD* digest) const { EVP_MD_free(digest); }
void Free::operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
void Free::operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }

QuietErrors::QuietErrors() { ERR_set_mark(); }
QuietErrors::~QuietErrors() { ERR_pop_to_mark(); }

}  // namespace ginnel::crypto::openssl
