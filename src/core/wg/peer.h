// A peer as the control engine keeps it. What every configured peer costs is in Peer; what only a
// peer that has spoken needs is in PeerActivity, made at the first handshake.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string_view>

#include "core/crypto/keys.h"
#include "core/wg/cookie.h"
#include "core/wg/noise.h"
#include "core/wg/peer_path.h"
#include "core/wg/peer_timers.h"
#include "core/wg/session_table.h"
#include "net/endpoint.h"

namespace ginnel::wg {

// Why handshakes with a peer failed, as far as a failure can be laid at a known peer's door.
enum class HandshakeFailure : std::uint8_t {
  Unanswered,   // We gave up asking.
  NoEndpoint,   // We had to ask and did not know where.
  Replayed,     // An initiation that is not newer than one before.
  TooFrequent,  // Initiations faster than kMinInitiationInterval.
  BadResponse,  // A response to our initiation that does not authenticate: keys differ.
  LowOrderKey,  // A key that makes the shared secret predictable.
  kCount,
};
// For metrics and `ginnel show`: "handshake_unanswered".
std::string_view name_of(HandshakeFailure failure);

using HandshakeFailures =
    std::array<std::uint32_t, static_cast<std::size_t>(HandshakeFailure::kCount)>;

struct PeerActivity {
  explicit PeerActivity(PeerSlot slot) : path(slot) {}

  PeerPath path;
  PeerTimers timers;
  CookieClient cookies;

  // Where the peer was before its endpoint was configured anew, and how long that is to be ignored.
  net::Endpoint left_endpoint{};
  MonoTime left_until{MonoTime::min()};

  // Our unanswered initiation, if one is out.
  std::optional<InitiatorState> initiation;
  std::optional<SessionIndex> initiation_index;
  MonoTime last_initiation_sent = kNever;
  Tai64n last_timestamp_sent{};
  MonoTime last_initiation_received = kNever;

  // Whitepaper, section 6.1: the session before, the one in use, and the responder's that its
  // initiator has not used yet. The pointers live as long as the table has their index.
  Session* previous = nullptr;
  Session* current = nullptr;
  Session* next = nullptr;

  HandshakeFailures failures{};
};

struct Peer {
  explicit Peer(const crypto::PublicKey& key) : public_key(key) {}

  const crypto::PublicKey public_key;
  std::unique_ptr<crypto::PresharedKey> preshared_key;  // Null: zeros.
  // Depends on the device's private key and this peer only; computed at the first handshake.
  std::unique_ptr<StaticStatic> static_static;
  std::unique_ptr<const net::PathAddress> endpoint;  // Null: not known yet.
  std::unique_ptr<PeerActivity> activity;            // Null: has not spoken.
  Tai64n greatest_timestamp{};
  std::optional<UnixTime> last_handshake;
  std::uint16_t persistent_keepalive_seconds = 0;
};

}  // namespace ginnel::wg
