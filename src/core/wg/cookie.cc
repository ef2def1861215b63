#include "core/wg/cookie.h"

#include "base/check.h"

namespace ginnel::wg {
namespace {

constexpr std::size_t kMacSize = sizeof(crypto::Mac);

bool older_than_lifetime(MonoTime since, MonoTime now) {
  return since == kNever || now - since >= kCookieLifetime;
}

// A message ends with its two macs; each covers all that stands before it.
ByteView mac1_of(ByteView message) { return message.last(2 * kMacSize).first(kMacSize); }
ByteView mac2_of(ByteView message) { return message.last(kMacSize); }
ByteView covered_by_mac1(ByteView message) { return message.first(message.size() - 2 * kMacSize); }
ByteView covered_by_mac2(ByteView message) { return message.first(message.size() - kMacSize); }

bool is_handshake(ByteView message) {
  return message.size() == sizeof(HandshakeInitiation) ||
         message.size() == sizeof(HandshakeResponse);
}

}  // namespace

bool has_valid_mac1(Identity& identity, ByteView message) {
  CHECK(is_handshake(message));
  const crypto::Mac expected =
      identity.blake2s().mac(identity.mac1_key(), {covered_by_mac1(message)});
  return equal_in_constant_time(expected, mac1_of(message));
}

crypto::Mac CookieServer::cookie_for(Identity& identity, MonoTime now, Rng& rng,
                                     const net::Endpoint& source) {
  if (older_than_lifetime(secret_made_, now)) {
    rng.fill(secret_.expose_mutable());
    secret_made_ = now;
  }
  return identity.blake2s().mac(secret_.expose(),
                                {source.address.bytes(), bytes_of(Be16(source.port))});
}

bool CookieServer::has_valid_mac2(Identity& identity, MonoTime now, Rng& rng,
                                  const net::Endpoint& source, ByteView message) {
  CHECK(is_handshake(message));
  const crypto::Mac cookie = cookie_for(identity, now, rng, source);
  const crypto::Mac expected = identity.blake2s().mac(cookie, {covered_by_mac2(message)});
  return equal_in_constant_time(expected, mac2_of(message));
}

CookieReply CookieServer::reply(Identity& identity, MonoTime now, Rng& rng,
                                const net::Endpoint& source, ByteView message) {
  CHECK(is_handshake(message));
  CookieReply reply;
  std::memcpy(&reply.receiver, &message[4], sizeof reply.receiver);  // The message's sender.
  rng.fill(reply.nonce);
  identity.aead().seal_x(identity.cookie_key(), reply.nonce, mac1_of(message),
                         cookie_for(identity, now, rng, source), reply.sealed_cookie);
  return reply;
}

template <class Message>
void CookieClient::add(Identity& identity, const crypto::PublicKey& peer, MonoTime now,
                       Message& message) {
  crypto::Blake2s& blake2s = identity.blake2s();
  message.mac1 = blake2s.mac(mac1_key_of(blake2s, peer), {covered_by_mac1(bytes_of(message))});
  message.mac2 = {};
  if (older_than_lifetime(received_, now)) {
    cookie_.clear();
  } else {
    message.mac2 = blake2s.mac(cookie_.expose(), {covered_by_mac2(bytes_of(message))});
  }
  last_mac1_ = message.mac1;
  awaiting_reply_ = true;
}

void CookieClient::add_macs(Identity& identity, const crypto::PublicKey& peer, MonoTime now,
                            HandshakeInitiation& message) {
  add(identity, peer, now, message);
}

void CookieClient::add_macs(Identity& identity, const crypto::PublicKey& peer, MonoTime now,
                            HandshakeResponse& message) {
  add(identity, peer, now, message);
}

Result<void, Drop> CookieClient::consume(Identity& identity, const crypto::PublicKey& peer,
                                         MonoTime now, const CookieReply& reply) {
  if (!awaiting_reply_) return std::unexpected(Drop::BadCookie);
  Secret<kCookieSize> cookie;
  const crypto::Hash key = cookie_key_of(identity.blake2s(), peer);
  if (!identity.aead().open_x(key, reply.nonce, last_mac1_, reply.sealed_cookie,
                              cookie.expose_mutable())) {
    return std::unexpected(Drop::BadCookie);
  }
  cookie_ = std::move(cookie);
  received_ = now;
  awaiting_reply_ = false;
  return {};
}

}  // namespace ginnel::wg
