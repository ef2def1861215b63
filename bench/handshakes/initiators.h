// Many peers at once, as the daemon under test sees them: keys, initiations made beforehand,
// cookies honoured, answers checked. Without sockets and clocks.
#pragma once

#include <deque>

#include "core/wg/cookie.h"
#include "core/wg/noise.h"

namespace ginnel::handshakes {

// Reproducible keys and initiations: nothing here is a secret.
class SeededRng final : public Rng {
 public:
  explicit SeededRng(std::uint64_t seed) : state_(seed) {}
  void fill(ByteSpan out) override;

 private:
  std::uint64_t state_;
};

// The peers' private keys, the same for the same count.
std::vector<crypto::PrivateKey> keys_of(std::size_t count);

class Initiators {
 public:
  static constexpr std::size_t kMax = 100'000;
  static constexpr std::size_t kMaxRounds = 16;

  // Of one address, whose initiations share a cookie, as its port is the same.
  struct Source {
    wg::CookieClient cookies;
  };

  // Makes `rounds` initiations of each of `count` peers.
  Initiators(std::size_t count, std::size_t rounds, const crypto::PublicKey& responder,
             UnixTime now);

  // Initiation `number` (of round number / count), with its macs.
  const wg::HandshakeInitiation& take(std::size_t number, Source& source, MonoTime now);
  std::size_t size() const { return initiations_.size(); }

  // Which initiation a response or cookie reply is for; size() when for none.
  std::size_t answered_by(ByteView datagram) const;
  // Takes the cookie. False when it is for another initiation than the source's last.
  bool take_cookie(ByteView datagram, Source& source, MonoTime now);
  // Keeps a response, to be looked at by count_sound() when nobody measures.
  void keep(std::size_t number, ByteView response);
  // Of the responses kept, those that end their handshakes.
  std::size_t count_sound();

 private:
  struct Initiation {
    wg::HandshakeInitiation message;
    wg::InitiatorState state;
    wg::HandshakeResponse response{};
    bool has_response = false;
  };

  const crypto::PublicKey responder_;
  SeededRng rng_;
  std::deque<wg::Identity> identities_;
  std::vector<Initiation> initiations_;
};

}  // namespace ginnel::handshakes
