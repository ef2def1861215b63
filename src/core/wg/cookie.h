// mac1, mac2 and cookies (whitepaper, section 5.3 and 5.4.4): what a handshake message has to carry
// before any curve operation is spent on it. All messages here are handshake initiations or
// responses, whose last 32 bytes are mac1 and mac2.
#pragma once

#include "base/rng.h"
#include "base/time.h"
#include "core/wg/identity.h"
#include "core/wg/messages.h"
#include "net/endpoint.h"

namespace ginnel::wg {

inline constexpr std::size_t kCookieSize = 16;
// For how long a cookie, and the secret that it is made from, is good.
inline constexpr Duration kCookieLifetime = 120s;

// Whether the sender knew our public key. The first question of all, asked of every datagram that
// anyone cares to send. REQUIRES: `message` is a whole initiation or response.
bool has_valid_mac1(Identity& identity, ByteView message);

// The end that is under load: gives cookies, which prove that their holder receives what is sent to
// its address, and recognises them without remembering any.
class CookieServer {
 public:
  // Whether `message` carries a cookie that we gave `source` less than kCookieLifetime ago.
  bool has_valid_mac2(Identity& identity, MonoTime now, Rng& rng, const net::Endpoint& source,
                      ByteView message);

  // What to answer `message` instead of working on it. REQUIRES: has_valid_mac1(message).
  CookieReply reply(Identity& identity, MonoTime now, Rng& rng, const net::Endpoint& source,
                    ByteView message);

 private:
  crypto::Mac cookie_for(Identity& identity, MonoTime now, Rng& rng, const net::Endpoint& source);

  Secret<32> secret_;
  MonoTime secret_made_ = kNever;
};

// The other end, one for each peer: writes the macs of what we send it, and takes its cookies.
class CookieClient {
 public:
  // Fills in mac1 and mac2, the last fields to be written.
  void add_macs(Identity& identity, const crypto::PublicKey& peer, MonoTime now,
                HandshakeInitiation& message);
  void add_macs(Identity& identity, const crypto::PublicKey& peer, MonoTime now,
                HandshakeResponse& message);

  // Takes the cookie, for mac2 of the messages that follow. Fails with BadCookie unless it answers
  // the last message that add_macs() saw, and only once: who records a reply cannot prolong it.
  Result<void, Drop> consume(Identity& identity, const crypto::PublicKey& peer, MonoTime now,
                             const CookieReply& reply);

 private:
  template <class Message>
  void add(Identity& identity, const crypto::PublicKey& peer, MonoTime now, Message& message);

  crypto::Mac last_mac1_{};
  bool awaiting_reply_ = false;
  Secret<kCookieSize> cookie_;
  MonoTime received_ = kNever;
};

}  // namespace ginnel::wg
