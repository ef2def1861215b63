// The handshake, Noise_IKpsk2 (whitepaper, section 5.4), as values: one state for each end, which
// knows nothing of peers, time or sockets. mac1 and mac2 are cookie.h's; they are neither written
// nor checked here. Everything secret is erased when its state dies.
//
//   initiator                                        responder
//   InitiatorState::begin  ---- initiation ---->     ResponderState::begin, .authenticate
//           .finish        <---- response -----      ResponderState::respond
#pragma once

#include "base/rng.h"
#include "core/wg/identity.h"
#include "core/wg/messages.h"
#include "core/wg/tai64n.h"

namespace ginnel::wg {

// What a handshake is for. The two ends have them crosswise.
struct SessionKeys {
  crypto::AeadKey send;
  crypto::AeadKey receive;
};

// Our initiation, until it is answered.
class InitiatorState {
 public:
  struct Setup {
    const crypto::PublicKey& peer;
    const StaticStatic& static_static;
    Tai64n timestamp;
    SessionIndex sender;  // Where the answer shall come to.
  };

  // Writes all of `out` but its macs. Fails with LowOrderPoint only.
  static Result<InitiatorState, Drop> begin(Identity& identity, const Setup& setup, Rng& rng,
                                            HandshakeInitiation& out);

  // Fails with BadHandshake or LowOrderPoint. The state is as it was then: anyone can forge a
  // response, and the true one may still come. Once it succeeds the state has done its work.
  Result<SessionKeys, Drop> finish(Identity& identity, const crypto::PresharedKey& psk,
                                   const HandshakeResponse& response) const;

 private:
  InitiatorState() = default;

  Transcript transcript_;
  crypto::PrivateKey ephemeral_;
};

// A peer's initiation, while we judge and answer it.
class ResponderState {
 public:
  // Learns who claims to have sent it. Fails with BadHandshake or LowOrderPoint.
  static Result<ResponderState, Drop> begin(Identity& identity,
                                            const HandshakeInitiation& initiation);
  // Whoever sent the initiation knew this key, but need not own it: authenticate() tells.
  const crypto::PublicKey& claimed_peer() const { return peer_; }

  // Proves that the claimed peer made the initiation, and gives its timestamp. The caller compares
  // that with the greatest it has had from this peer, or an old initiation could be played again.
  // Fails with BadHandshake. REQUIRES: `static_static` is that of claimed_peer(); called once.
  Result<Tai64n, Drop> authenticate(Identity& identity, const HandshakeInitiation& initiation,
                                    const StaticStatic& static_static);

  struct Setup {
    const crypto::PresharedKey& psk;
    SessionIndex sender;  // Ours. The peer's was in its initiation.
  };

  // Writes all of `out` but its macs. Fails with LowOrderPoint. REQUIRES: authenticate() succeeded.
  Result<SessionKeys, Drop> respond(Identity& identity, const Setup& setup, Rng& rng,
                                    HandshakeResponse& out);

 private:
  ResponderState() = default;

  Transcript transcript_;
  crypto::PublicKey peer_;
  crypto::PublicKey peer_ephemeral_;
  SessionIndex receiver_{};
  bool authenticated_ = false;
};

}  // namespace ginnel::wg
