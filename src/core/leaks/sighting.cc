#include "core/leaks/sighting.h"

#include <fmt/format.h>

#include <algorithm>

#include "net/header_layout.h"

namespace ginnel::leaks {
namespace {

constexpr std::uint8_t kIcmp6 = 58;
constexpr std::uint8_t kRouterSolicit = 133;
constexpr std::uint8_t kNeighborSolicit = 135;
constexpr std::uint8_t kNeighborAdvert = 136;

struct Headers {
  net::Address source;
  net::Address destination;
  std::uint8_t protocol = 0;
  ByteView payload;
};

std::optional<Headers> read_headers(ByteView frame) {
  if (frame.size() < kEthernetBytes) return std::nullopt;
  const auto type = load<Be16>(frame.subspan(12));
  const ByteView packet = frame.subspan(kEthernetBytes);
  if (type == kEtherIpv4 && packet.size() >= sizeof(net::Ipv4Header)) {
    const auto size = std::size_t{packet[0] & 15u} * 4;
    if (size < sizeof(net::Ipv4Header) || packet.size() < size) return std::nullopt;
    return Headers{.source = net::Address::from_bytes(packet.subspan(12, 4)),
                   .destination = net::Address::from_bytes(packet.subspan(16, 4)),
                   .protocol = packet[9],
                   .payload = packet.subspan(size)};
  }
  if (type == kEtherIpv6 && packet.size() >= sizeof(net::Ipv6Header)) {
    return Headers{.source = net::Address::from_bytes(packet.subspan(8, 16)),
                   .destination = net::Address::from_bytes(packet.subspan(24, 16)),
                   .protocol = packet[6],
                   .payload = packet.subspan(sizeof(net::Ipv6Header))};
  }
  return std::nullopt;
}

FrameKind kind_of_udp(const Headers& headers, const WireRules& rules) {
  const auto source = load<Be16>(headers.payload);
  const auto destination = load<Be16>(headers.payload.subspan(2));
  const bool is_dhcp = headers.source.is_v4() ? source == 68 && destination == 67
                                              : source == 546 && destination == 547;
  if (is_dhcp) return FrameKind::Housekeeping;
  const net::Endpoint to{.address = headers.destination, .port = destination};
  const bool is_transport =
      std::ranges::find(rules.endpoints, to) != rules.endpoints.end() &&
      std::ranges::find(rules.transport_ports, source) != rules.transport_ports.end();
  return is_transport ? FrameKind::Transport : FrameKind::Stray;
}

FrameKind kind_of(const Headers& headers, const WireRules& rules) {
  if (headers.protocol == net::kProtocolUdp && headers.payload.size() >= sizeof(net::UdpHeader)) {
    return kind_of_udp(headers, rules);
  }
  if (headers.protocol != kIcmp6 || headers.payload.empty() || headers.source.is_v4()) {
    return FrameKind::Stray;
  }
  const std::uint8_t type = headers.payload[0];
  const bool is_discovery =
      type == kRouterSolicit || type == kNeighborSolicit || type == kNeighborAdvert;
  return is_discovery ? FrameKind::Housekeeping : FrameKind::Stray;
}

}  // namespace

Sighting classify(ByteView frame, const WireRules& rules) {
  if (const auto tag = find_tag(frame, rules.run)) {
    return {.kind = FrameKind::Probe, .tag = *tag};
  }
  if (const auto owner = arp_answer(frame)) {
    const bool reveals =
        std::ranges::find(rules.tunnel_addresses, *owner) != rules.tunnel_addresses.end();
    return {.kind = reveals ? FrameKind::Reveal : FrameKind::Housekeeping};
  }
  if (frame.size() >= kEthernetBytes && load<Be16>(frame.subspan(12)) == kEtherArp) {
    return {.kind = FrameKind::Housekeeping};
  }
  const auto headers = read_headers(frame);
  return {.kind = headers ? kind_of(*headers, rules) : FrameKind::Stray};
}

std::string describe_frame(ByteView frame) {
  const auto headers = read_headers(frame);
  if (headers) {
    std::string ports;
    const bool has_ports =
        headers->protocol == net::kProtocolUdp || headers->protocol == net::kProtocolTcp;
    if (has_ports && headers->payload.size() >= 4) {
      ports = fmt::format(" port {} to {}", load<Be16>(headers->payload),
                          load<Be16>(headers->payload.subspan(2)));
    } else if (!headers->payload.empty()) {
      ports = fmt::format(" type {}", headers->payload[0]);
    }
    return fmt::format("{} -> {} protocol {}{}", headers->source.to_string(),
                       headers->destination.to_string(), headers->protocol, ports);
  }
  if (frame.size() < kEthernetBytes) return fmt::format("{} bytes", frame.size());
  return fmt::format("ether type {:#06x}, {} bytes", load<Be16>(frame.subspan(12)), frame.size());
}

}  // namespace ginnel::leaks
