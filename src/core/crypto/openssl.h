// Owners of the OpenSSL objects that this folder uses, declared without OpenSSL's headers.
#pragma once

#include <memory>

struct evp_cipher_ctx_st;
struct evp_cipher_st;
struct evp_mac_ctx_st;
struct evp_mac_st;
struct evp_md_ctx_st;
struct evp_md_st;
struct evp_pkey_ctx_st;
struct evp_pkey_st;

namespace ginnel::crypto::openssl {

struct Free {
  void operator()(evp_cipher_ctx_st* context) const;
  void operator()(evp_cipher_st* cipher) const;
  void operator()(evp_mac_ctx_st* context) const;
  void operator()(evp_mac_st* mac) const;
  void operator()(evp_md_ctx_st* context) const;
  void operator()(evp_md_st* digest) const;
  void operator()(evp_pkey_ctx_st* context) const;
  void operator()(evp_pkey_st* key) const;
};
template <class T>
using Owner = std::unique_ptr<T, Free>;

// OpenSSL reports failures in a queue of the thread, which TLS on the same thread would misread as
// its own. An attacker's wrong tag or bad point is no event: what is queued in this scope is
// dropped at its end.
class QuietErrors {
 public:
  QuietErrors();
  ~QuietErrors();
  QuietErrors(const QuietErrors&) = delete;
  QuietErrors& operator=(const QuietErrors&) = delete;
};

}  // namespace ginnel::crypto::openssl
