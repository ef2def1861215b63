#include "core/crypto/x25519.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "base/check.h"

namespace ginnel::crypto {
namespace {

constexpr std::array<std::uint8_t, kKeySize> kBasePoint{9};

OSSL_PARAM octets(const char* name, KeyView bytes) {
  return OSSL_PARAM_construct_octet_string(name, const_cast<std::uint8_t*>(bytes.data()),
                                           bytes.size());
}

// OpenSSL's quickest way to import a key.
openssl::Owner<EVP_PKEY> import_key(EVP_PKEY_CTX* importing, int kind, OSSL_PARAM* parts) {
  EVP_PKEY* key = nullptr;
  CHECK(EVP_PKEY_fromdata(importing, &key, kind, parts) == 1);
  return openssl::Owner<EVP_PKEY>(key);
}

}  // namespace

DhKey::DhKey(const PrivateKey& own) {
  const openssl::Owner<EVP_PKEY_CTX> importing(
      EVP_PKEY_CTX_new_from_name(nullptr, "X25519", nullptr));
  CHECK(importing != nullptr && EVP_PKEY_fromdata_init(importing.get()) == 1);

  // OpenSSL computes the public half of a private key (a whole multiplication) unless it is given
  // one. It never looks at it for an agreement, so any bytes do.
  OSSL_PARAM parts[] = {octets(OSSL_PKEY_PARAM_PUB_KEY, kBasePoint),
                        octets(OSSL_PKEY_PARAM_PRIV_KEY, own.expose()), OSSL_PARAM_construct_end()};
  const openssl::Owner<EVP_PKEY> key = import_key(importing.get(), EVP_PKEY_KEYPAIR, parts);
  parts[1] = OSSL_PARAM_construct_end();
  peer_ = import_key(importing.get(), EVP_PKEY_PUBLIC_KEY, parts);

  context_.reset(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
  CHECK(context_ != nullptr && EVP_PKEY_derive_init(context_.get()) == 1);
}

PublicKey DhKey::public_key() {
  // The base point has full order, so its multiples by clamped scalars are never zero.
  const std::optional<Secret<kKeySize>> point = agree(PublicKey(kBasePoint));
  CHECK(point.has_value());
  return PublicKey(point->expose());
}

std::optional<Secret<kKeySize>> DhKey::agree(const PublicKey& theirs) {
  const openssl::QuietErrors quiet;
  CHECK(EVP_PKEY_set1_encoded_public_key(peer_.get(), theirs.bytes().data(), kKeySize) == 1);
  CHECK(EVP_PKEY_derive_set_peer_ex(context_.get(), peer_.get(), 0) == 1);
  Secret<kKeySize> shared;
  std::size_t size = kKeySize;
  // Its only way to fail is a result of zeros; asked again, because all security hangs on it.
  if (EVP_PKEY_derive(context_.get(), shared.expose_mutable().data(), &size) != 1) return {};
  if (size != kKeySize || shared.is_zero()) return {};
  return shared;
}

std::optional<Secret<kKeySize>> x25519(const PrivateKey& own, const PublicKey& theirs) {
  return DhKey(own).agree(theirs);
}

}  // namespace ginnel::crypto
