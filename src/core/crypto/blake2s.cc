#include "core/crypto/blake2s.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "base/check.h"

namespace ginnel::crypto {
namespace {

constexpr std::size_t kBlockSize = 64;

// The block that HMAC puts in front: the key, filled with zeros, every byte changed by `with`.
Secret<kBlockSize> pad(ByteView key, std::uint8_t with) {
  Secret<kBlockSize> block;
  const auto bytes = block.expose_mutable();
  std::ranges::copy(key, bytes.begin());
  for (std::uint8_t& byte : bytes) byte ^= with;
  return block;
}

}  // namespace

Blake2s::Blake2s()
    : digest_(EVP_MD_fetch(nullptr, "BLAKE2S-256", nullptr)), hashing_(EVP_MD_CTX_new()) {
  const openssl::Owner<EVP_MAC> mac(EVP_MAC_fetch(nullptr, "BLAKE2SMAC", nullptr));
  CHECK(digest_ != nullptr && hashing_ != nullptr && mac != nullptr);
  keyed_.reset(EVP_MAC_CTX_new(mac.get()));
  CHECK(keyed_ != nullptr);
  std::size_t size = sizeof(Mac);
  const OSSL_PARAM params[] = {OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size),
                               OSSL_PARAM_construct_end()};
  CHECK(EVP_MAC_CTX_set_params(keyed_.get(), params) == 1);
}

// OpenSSL erases its state of the hash when it gives the result.
void Blake2s::hash_into(ByteSpan out, ByteView first, Parts rest) {
  EVP_MD_CTX* const context = hashing_.get();
  CHECK(EVP_DigestInit_ex2(context, digest_.get(), nullptr) == 1);
  CHECK(EVP_DigestUpdate(context, first.data(), first.size()) == 1);
  for (const ByteView part : rest) {
    CHECK(EVP_DigestUpdate(context, part.data(), part.size()) == 1);
  }
  CHECK(EVP_DigestFinal_ex(context, out.data(), nullptr) == 1);
}

Hash Blake2s::hash(Parts message) {
  Hash result;
  hash_into(result, {}, message);
  return result;
}

Mac Blake2s::mac(ByteView key, Parts message) {
  CHECK(!key.empty() && key.size() <= kMaxMacKeySize);
  EVP_MAC_CTX* const context = keyed_.get();
  CHECK(EVP_MAC_init(context, key.data(), key.size(), nullptr) == 1);
  for (const ByteView part : message) {
    CHECK(EVP_MAC_update(context, part.data(), part.size()) == 1);
  }
  Mac result;
  std::size_t size = 0;
  CHECK(EVP_MAC_final(context, result.data(), &size, result.size()) == 1);
  CHECK(size == result.size());
  return result;
}

Secret<32> Blake2s::hmac(ByteView key, Parts message) {
  CHECK(key.size() <= kBlockSize);
  Secret<32> inner;
  hash_into(inner.expose_mutable(), pad(key, 0x36).expose(), message);
  Secret<32> outer;
  hash_into(outer.expose_mutable(), pad(key, 0x5c).expose(), {inner.expose()});
  return outer;
}

template <std::size_t kOutputs>
std::array<Secret<32>, kOutputs> Blake2s::kdf(const Secret<32>& key, ByteView input) {
  const Secret<32> extracted = hmac(key.expose(), {input});
  std::array<Secret<32>, kOutputs> outputs;
  ByteView previous;
  for (std::size_t i = 0; i < kOutputs; ++i) {
    const std::array<std::uint8_t, 1> index{static_cast<std::uint8_t>(i + 1)};
    outputs[i] = hmac(extracted.expose(), {previous, index});
    previous = outputs[i].expose();
  }
  return outputs;
}

Secret<32> Blake2s::kdf1(const Secret<32>& key, ByteView input) {
  return std::move(kdf<1>(key, input)[0]);
}
std::array<Secret<32>, 2> Blake2s::kdf2(const Secret<32>& key, ByteView input) {
  return kdf<2>(key, input);
}
std::array<Secret<32>, 3> Blake2s::kdf3(const Secret<32>& key, ByteView input) {
  return kdf<3>(key, input);
}

}  // namespace ginnel::crypto
