#include "core/wg/messages.h"

#include <optional>

#include "base/check.h"

namespace ginnel::wg {
namespace {

constexpr std::size_t kPreambleSize = 4;  // Type and reserved bytes.

constexpr std::array<std::string_view, static_cast<std::size_t>(Drop::kCount)> kDropNames{
    "too_short",          "bad_length",         "unknown_type",
    "reserved_not_zero",  "bad_mac1",           "cookie_required",
    "rate_limited",       "unknown_peer",       "unknown_session",
    "replayed_handshake", "bad_handshake",      "stale_handshake",
    "bad_cookie",         "low_order_point",    "bad_tag",
    "replayed",           "source_not_allowed", "not_ip",
    "no_route",           "no_endpoint",        "unanswered",
    "session_expired",    "queue_full",         "oversize",
    "congestion_marked",
};
static_assert(!kDropNames.back().empty());

std::optional<Drop> check_preamble(ByteView datagram) {
  if (datagram.size() < kPreambleSize) return Drop::TooShort;
  if (datagram[0] < HandshakeInitiation::kType || datagram[0] > TransportHeader::kType) {
    return Drop::UnknownType;
  }
  if ((datagram[1] | datagram[2] | datagram[3]) != 0) return Drop::ReservedNotZero;
  return std::nullopt;
}

template <class T>
Result<Message, Drop> read_fixed(ByteView datagram) {
  if (datagram.size() != sizeof(T)) return std::unexpected(Drop::BadLength);
  T message;
  std::memcpy(&message, datagram.data(), sizeof message);
  return Message{message};
}

Result<TransportView, Drop> read_transport(ByteView datagram) {
  constexpr auto kMin = TransportView::kHeaderSize + TransportView::kTagSize;
  if (datagram.size() < kMin) return std::unexpected(Drop::TooShort);
  TransportHeader header;
  std::memcpy(&header, datagram.data(), sizeof header);
  return TransportView{SessionIndex{header.receiver.get()}, header.counter.get(),
                       datagram.subspan(TransportView::kHeaderSize)};
}

}  // namespace

std::string_view name_of(Drop drop) { return kDropNames.at(static_cast<std::size_t>(drop)); }

void write_transport_header(ByteSpan out, SessionIndex receiver, std::uint64_t counter) {
  CHECK(out.size() >= sizeof(TransportHeader));
  TransportHeader header;
  header.receiver.set(static_cast<std::uint32_t>(receiver));
  header.counter.set(counter);
  std::memcpy(out.data(), &header, sizeof header);
}

bool begins_like_wireguard(ByteView datagram) { return !check_preamble(datagram); }

Result<Message, Drop> parse_message(ByteView datagram) {
  if (const auto drop = check_preamble(datagram)) return std::unexpected(*drop);
  switch (datagram[0]) {
    case HandshakeInitiation::kType:
      return read_fixed<HandshakeInitiation>(datagram);
    case HandshakeResponse::kType:
      return read_fixed<HandshakeResponse>(datagram);
    case CookieReply::kType:
      return read_fixed<CookieReply>(datagram);
    default:
      return read_transport(datagram);
  }
}

Result<TransportView, Drop> parse_transport(ByteView datagram) {
  if (const auto drop = check_preamble(datagram)) return std::unexpected(*drop);
  if (datagram[0] != TransportHeader::kType) return std::unexpected(Drop::UnknownType);
  return read_transport(datagram);
}

}  // namespace ginnel::wg
