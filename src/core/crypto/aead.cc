#include "core/crypto/aead.h"

#include <openssl/evp.h>

#include "base/check.h"

namespace ginnel::crypto {
namespace {

constexpr std::array<std::uint8_t, 16> kConstants{'e', 'x', 'p', 'a', 'n', 'd', ' ', '3',
                                                  '2', '-', 'b', 'y', 't', 'e', ' ', 'k'};

std::array<std::uint8_t, 12> nonce_of(std::uint64_t counter) {
  std::array<std::uint8_t, 12> nonce{};
  store<Le64>(ByteSpan(nonce).subspan(4), counter);
  return nonce;
}

std::array<std::uint8_t, 12> tail_of(const XNonce& nonce) {
  std::array<std::uint8_t, 12> tail{};
  std::copy(nonce.begin() + 16, nonce.end(), tail.begin() + 4);
  return tail;
}

std::span<const std::uint8_t, 16> head_of(const XNonce& nonce) {
  return std::span(nonce).first<16>();
}

// Null `out` means additional data.
void update(EVP_CIPHER_CTX* context, std::uint8_t* out, ByteView in) {
  if (in.empty()) return;
  int length = 0;
  CHECK(EVP_CipherUpdate(context, out, &length, in.data(), static_cast<int>(in.size())) == 1);
}

}  // namespace

Aead::Aead()
    : aead_(EVP_CIPHER_fetch(nullptr, "ChaCha20-Poly1305", nullptr)),
      stream_(EVP_CIPHER_fetch(nullptr, "ChaCha20", nullptr)),
      context_(EVP_CIPHER_CTX_new()) {
  CHECK(aead_ != nullptr && stream_ != nullptr && context_ != nullptr);
}

void Aead::seal(KeyView key, std::uint64_t counter, ByteView additional, ByteView plaintext,
                ByteSpan out) {
  seal_with(key, nonce_of(counter), additional, plaintext, out);
}

bool Aead::open(KeyView key, std::uint64_t counter, ByteView additional, ByteView sealed,
                ByteSpan out) {
  return open_with(key, nonce_of(counter), additional, sealed, out);
}

void Aead::seal_x(KeyView key, const XNonce& nonce, ByteView additional, ByteView plaintext,
                  ByteSpan out) {
  seal_with(hchacha20(key, head_of(nonce)).expose(), tail_of(nonce), additional, plaintext, out);
}

bool Aead::open_x(KeyView key, const XNonce& nonce, ByteView additional, ByteView sealed,
                  ByteSpan out) {
  return open_with(hchacha20(key, head_of(nonce)).expose(), tail_of(nonce), additional, sealed,
                   out);
}

// OpenSSL has the block function only as a key stream, which is the permuted state plus the initial
// one: subtracting the latter where HChaCha20 reads gives its result. The sixteen bytes that EVP
// takes are block counter and nonce, the last row of the initial state.
Secret<32> Aead::hchacha20(KeyView key, std::span<const std::uint8_t, 16> nonce) {
  EVP_CIPHER_CTX* const context = context_.get();
  Secret<64> block;
  const auto bytes = block.expose_mutable();
  CHECK(EVP_CipherInit_ex2(context, stream_.get(), key.data(), nonce.data(), 1, nullptr) == 1);
  update(context, bytes.data(), bytes);
  EVP_CIPHER_CTX_reset(context);

  Secret<32> subkey;
  const auto out = subkey.expose_mutable();
  for (std::size_t i = 0; i < 16; i += 4) {
    store<Le32>(out.subspan(i),
                load<Le32>(bytes.subspan(i)) - load<Le32>(std::span(kConstants).subspan(i)));
    store<Le32>(out.subspan(16 + i),
                load<Le32>(bytes.subspan(48 + i)) - load<Le32>(nonce.subspan(i)));
  }
  return subkey;
}

void Aead::seal_with(KeyView key, const Nonce& nonce, ByteView additional, ByteView plaintext,
                     ByteSpan out) {
  CHECK(out.size() == plaintext.size() + kTagSize);
  EVP_CIPHER_CTX* const context = context_.get();
  CHECK(EVP_CipherInit_ex2(context, aead_.get(), key.data(), nonce.data(), 1, nullptr) == 1);
  update(context, nullptr, additional);
  update(context, out.data(), plaintext);
  const ByteSpan tag = out.last(kTagSize);
  int length = 0;
  CHECK(EVP_CipherFinal_ex(context, tag.data(), &length) == 1);
  CHECK(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kTagSize, tag.data()) == 1);
  EVP_CIPHER_CTX_reset(context);
}

bool Aead::open_with(KeyView key, const Nonce& nonce, ByteView additional, ByteView sealed,
                     ByteSpan out) {
  CHECK(sealed.size() == out.size() + kTagSize);
  const openssl::QuietErrors quiet;
  EVP_CIPHER_CTX* const context = context_.get();
  std::array<std::uint8_t, kTagSize> tag;
  std::ranges::copy(sealed.last(kTagSize), tag.begin());
  CHECK(EVP_CipherInit_ex2(context, aead_.get(), key.data(), nonce.data(), 0, nullptr) == 1);
  CHECK(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, kTagSize, tag.data()) == 1);
  update(context, nullptr, additional);
  update(context, out.data(), sealed.first(out.size()));
  int length = 0;
  const bool authentic = EVP_CipherFinal_ex(context, tag.data(), &length) == 1;
  EVP_CIPHER_CTX_reset(context);
  if (!authentic) erase(out);
  return authentic;
}

}  // namespace ginnel::crypto
