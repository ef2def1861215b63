// Wire formats of the WireGuard protocol (whitepaper, section 5.4). Layout only: no keys are used
// and nothing is decrypted here, so everything in this file may be fed by an attacker.
#pragma once

#include <string_view>
#include <variant>

#include "base/bytes.h"
#include "base/result.h"

namespace ginnel::wg {

// Why a datagram or a packet was dropped, one list for the whole protocol. Indexes the counters
// that `ginnel show` and the metrics print; costs no allocation.
enum class Drop : std::uint8_t {
  TooShort,
  BadLength,
  UnknownType,
  ReservedNotZero,
  BadMac1,            // Whoever sent it does not know our public key.
  CookieRequired,     // Under load; a cookie was sent instead, unless too many waited.
  RateLimited,        // Too many handshakes of one source or peer.
  UnknownPeer,        // An honest handshake, from a key that is not configured.
  UnknownSession,     // No session or handshake of ours has that index.
  ReplayedHandshake,  // The initiation is not newer than the last one of its peer.
  BadHandshake,       // Something in it does not decrypt: wrong keys, or changed on its way.
  StaleHandshake,     // A response to an initiation that nobody waits for.
  BadCookie,          // A cookie reply that does not decrypt, or that nobody asked for.
  LowOrderPoint,      // A key whose shared secret everyone knows.
  BadTag,
  Replayed,
  SourceNotAllowed,
  NotIp,
  NoRoute,
  NoEndpoint,
  Unanswered,  // Waited for a handshake that never came to an end.
  SessionExpired,
  QueueFull,
  Oversize,
  CongestionMarked,  // Marked on the way, but its sender would not understand (RFC 6040).
  kCount,
};

// For metrics and `ginnel show`: "bad_mac1".
std::string_view name_of(Drop drop);

// Names one handshake or session at the end that chose it.
enum class SessionIndex : std::uint32_t {};

using Reserved = std::array<std::uint8_t, 3>;

struct HandshakeInitiation {
  static constexpr std::uint8_t kType = 1;
  std::uint8_t type = kType;
  Reserved reserved{};
  Le32 sender;
  std::array<std::uint8_t, 32> ephemeral{};
  std::array<std::uint8_t, 32 + 16> sealed_static{};
  std::array<std::uint8_t, 12 + 16> sealed_timestamp{};
  std::array<std::uint8_t, 16> mac1{};
  std::array<std::uint8_t, 16> mac2{};
};
static_assert(sizeof(HandshakeInitiation) == 148 && alignof(HandshakeInitiation) == 1);

struct HandshakeResponse {
  static constexpr std::uint8_t kType = 2;
  std::uint8_t type = kType;
  Reserved reserved{};
  Le32 sender;
  Le32 receiver;
  std::array<std::uint8_t, 32> ephemeral{};
  std::array<std::uint8_t, 16> sealed_nothing{};
  std::array<std::uint8_t, 16> mac1{};
  std::array<std::uint8_t, 16> mac2{};
};
static_assert(sizeof(HandshakeResponse) == 92 && alignof(HandshakeResponse) == 1);

struct CookieReply {
  static constexpr std::uint8_t kType = 3;
  std::uint8_t type = kType;
  Reserved reserved{};
  Le32 receiver;
  std::array<std::uint8_t, 24> nonce{};
  std::array<std::uint8_t, 16 + 16> sealed_cookie{};
};
static_assert(sizeof(CookieReply) == 64 && alignof(CookieReply) == 1);

// In front of every sealed packet.
struct TransportHeader {
  static constexpr std::uint8_t kType = 4;
  std::uint8_t type = kType;
  Reserved reserved{};
  Le32 receiver;
  Le64 counter;
};
static_assert(sizeof(TransportHeader) == 16 && alignof(TransportHeader) == 1);

// REQUIRES: out.size() >= sizeof(TransportHeader).
void write_transport_header(ByteSpan out, SessionIndex receiver, std::uint64_t counter);

// Transport data is borrowed, not copied: it is the hot path and its tail has no fixed size.
struct TransportView {
  static constexpr std::uint8_t kType = TransportHeader::kType;
  static constexpr std::size_t kHeaderSize = sizeof(TransportHeader);
  static constexpr std::size_t kTagSize = 16;
  SessionIndex receiver;
  std::uint64_t counter;
  ByteView sealed;  // Ciphertext and tag; valid as long as the datagram is.
};

using Message = std::variant<HandshakeInitiation, HandshakeResponse, CookieReply, TransportView>;

// Whether the datagram begins as WireGuard's do: a type from 1 to 4 and three zeros. What does not
// (STUN, path discovery) belongs to whoever else shares the socket.
bool begins_like_wireguard(ByteView datagram);

// Classifies one datagram. Never allocates; never reads outside `datagram`.
Result<Message, Drop> parse_message(ByteView datagram);

// The same for transport data alone, which then is a matter of a few loads. Any other type is
// UnknownType.
Result<TransportView, Drop> parse_transport(ByteView datagram);

}  // namespace ginnel::wg
