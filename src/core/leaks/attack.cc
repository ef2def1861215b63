#include "core/leaks/attack.h"

#include <fmt/format.h>

#include <algorithm>

namespace ginnel::leaks {
namespace {

using hostnet::LockPolicy;
using net::Address;
using net::Family;

constexpr std::uint16_t kDiscard = 9;
constexpr std::uint16_t kDns = 53;
constexpr std::uint16_t kDnsOverTls = 853;
constexpr std::uint16_t kHttps = 443;
constexpr std::uint16_t kNtp = 123;
constexpr std::uint16_t kPrinting = 631;
constexpr std::uint16_t kClosed = 33434;  // Where nobody listens.
constexpr std::uint16_t kSourcePort = 40400;

Address address(std::string_view text) { return Address::parse(text).value(); }

struct Group {
  std::string_view name;
  std::string_view address;
  std::uint16_t port;
};
constexpr Group kGroups4[] = {{"mdns", "224.0.0.251", 5353},
                              {"llmnr", "224.0.0.252", 5355},
                              {"ssdp", "239.255.255.250", 1900},
                              {"broadcast", "255.255.255.255", 1900}};
constexpr Group kGroups6[] = {
    {"mdns", "ff02::fb", 5353}, {"llmnr", "ff02::1:3", 5355}, {"ssdp", "ff02::c", 1900}};

class Writer {
 public:
  explicit Writer(const TwinPlan& plan) : plan_(plan) {}

  Catalogue write() {
    for (Family family : kFamilies) {
      family_ = family;
      internet_ = *plan_.internet[family];
      add_routed();
      add_resolvers();
      add_local_net();
      for (const TwinUplink& uplink : plan_.uplinks) add_bound(uplink);
      for (const TwinMember& member : plan_.members) add_member(member);
      add_outside(plan_.first_uplink());
    }
    for (const LeakClassInfo& info : leak_classes()) {
      if (!info.untested.empty()) {
        catalogue_.untried.push_back({.leak_class = info.leak_class,
                                      .what = std::string(info.name),
                                      .reason = std::string(info.untested)});
      }
    }
    return std::move(catalogue_);
  }

 private:
  void add_routed();
  void add_resolvers();
  void add_local_net();
  void add_bound(const TwinUplink& uplink);
  void add_bound_to_endpoint(const TwinUplink& uplink, const UplinkEnds& ends);
  void add_frames(const TwinUplink& uplink, const UplinkEnds& ends);
  void add_member(const TwinMember& member);
  void add_forged(const TwinMember& member, Origin origin);
  std::optional<Address> allowed_elsewhere() const;
  bool is_near(const net::Prefix& prefix) const;
  void add_outside(const TwinUplink& uplink);
  void add_probes_of_tunnel(const TwinUplink& uplink, const UplinkEnds& ends);

  // A datagram of a local program.
  Attack local(LeakClass leak_class, std::string name, const Address& to,
               std::uint16_t port) const {
    return {.name = std::move(name),
            .leak_class = leak_class,
            .family = family_,
            .packet = {.source = Address::any(family_),
                       .destination = to,
                       .source_port = 0,
                       .destination_port = port}};
  }
  // The same on one of the uplinks, with the source that a program bound to it has.
  Attack bound(LeakClass leak_class, std::string name, const Address& to, std::uint16_t port,
               const TwinUplink& uplink, const UplinkEnds& ends) const {
    Attack attack = local(leak_class, std::move(name), to, port);
    attack.device = uplink.name;
    attack.packet.source = ends.own;
    attack.packet.source_port = kSourcePort;
    return attack;
  }
  Attack as(Attack attack, Way way, ProbeProtocol protocol = ProbeProtocol::Udp) const {
    attack.way = way;
    attack.packet.protocol = protocol;
    return attack;
  }
  void add(Attack attack);
  const LockPolicy& policy() const { return plan_.policy; }
  const net::Endpoint* endpoint() const {
    const auto found = std::ranges::find_if(policy().endpoints, [&](const net::Endpoint& each) {
      return each.address.family() == family_;
    });
    return found == policy().endpoints.end() ? nullptr : &*found;
  }

  const TwinPlan& plan_;
  Family family_ = Family::V4;
  Address internet_;
  Catalogue catalogue_;
};

bool is_dns(const ProbePacket& packet) {
  return packet.protocol != ProbeProtocol::Echo &&
         (packet.destination_port == kDns || packet.destination_port == kDnsOverTls);
}

// What the policy lets through on purpose is no leak.
void Writer::add(Attack attack) {
  const auto& allowed = policy().allowed;
  const auto open = std::ranges::find_if(allowed, [&](const net::Prefix& prefix) {
    return prefix.contains(attack.packet.destination);
  });
  const auto& manage = policy().manage;
  const auto admitted = std::ranges::find_if(manage, [&](const net::Prefix& prefix) {
    return attack.origin == Origin::Outside && prefix.contains(attack.packet.source);
  });
  const bool is_open =
      open != allowed.end() && !is_dns(attack.packet) && attack.origin != Origin::Outside;
  if (is_open || admitted != manage.end()) {
    const net::Prefix& prefix = is_open ? *open : *admitted;
    catalogue_.untried.push_back(
        {.leak_class = attack.leak_class,
         .what = attack.id(),
         .reason = fmt::format("the policy allows {}", prefix.to_string())});
    return;
  }
  if (catalogue_.attacks.size() >= Catalogue::kMaxAttacks) {
    catalogue_.untried.push_back(
        {.leak_class = attack.leak_class, .what = attack.id(), .reason = "too many interfaces"});
    return;
  }
  catalogue_.attacks.push_back(std::move(attack));
}

// By programs that know nothing of interfaces: through the tunnel, or nowhere.
void Writer::add_routed() {
  using enum LeakClass;
  const bool v4 = family_ == Family::V4;
  add(local(v4 ? Restart : Ipv6, "datagram", internet_, kDiscard));
  add(as(local(LiveFlow, "live-flow", internet_, kEchoPort), Way::LiveDatagram));
  add(local(FallbackResolver, "dns", internet_, kDns));
  Attack marked = local(CopiedMark, "marked", internet_, kDiscard);
  marked.mark = policy().mark.value;
  add(marked);
  marked.name = "marked-name-lookup";
  marked.leak_class = EndpointName;
  marked.packet.destination_port = kDns;
  add(marked);
  if (const net::Endpoint* peer = endpoint()) {
    marked = local(EndpointInClear, "marked-other-port", peer->address,
                   static_cast<std::uint16_t>(peer->port ^ 1));
    marked.mark = policy().mark.value;
    add(marked);
    add(local(EndpointInClear, "endpoint", peer->address, peer->port));
  } else if (!policy().tunnels.empty()) {
    catalogue_.untried.push_back({.leak_class = EndpointInClear,
                                  .what = v4 ? "IPv4" : "IPv6",
                                  .reason = "no peer has an address of this family"});
  }
}

// The tunnel's servers, whom a gateway's resolver asks for its LAN: through the tunnel, or not at
// all.
void Writer::add_resolvers() {
  for (const Address& server : policy().dns) {
    if (server.family() != family_ || is_near(net::Prefix::host(server))) continue;
    add(local(LeakClass::FallbackResolver, "resolver-" + server.to_string(), server, kDns));
  }
}

void Writer::add_local_net() {
  if (plan_.local_net_host.family() != family_) return;
  add(local(LeakClass::PublicLocalNet, "public-local-net", plan_.local_net_host, kDiscard));
}

void Writer::add_bound(const TwinUplink& uplink) {
  using enum LeakClass;
  if (!uplink.ends[family_]) return;
  const UplinkEnds& ends = *uplink.ends[family_];
  add(bound(BoundToDevice, "bound-to-device", internet_, kDiscard, uplink, ends));
  Attack by_address = bound(BoundToDevice, "bound-to-address", internet_, kDiscard, uplink, ends);
  by_address.device.clear();
  by_address.binds_source = true;
  add(by_address);
  const Attack https = bound(BoundToDevice, "tcp", internet_, kHttps, uplink, ends);
  add(as(https, Way::Packet, ProbeProtocol::Tcp));
  add(as(bound(BoundToDevice, "ping", internet_, 0, uplink, ends), Way::Packet,
         ProbeProtocol::Echo));
  add(bound(TimeSync, "ntp", internet_, kNtp, uplink, ends));
  for (const std::uint16_t port : {kDns, kDnsOverTls}) {
    const std::string name = port == kDns ? "dns" : "dns-over-tls";
    const Attack lan = bound(LanResolver, "lan-" + name, ends.neighbour, port, uplink, ends);
    const Attack far = bound(FallbackResolver, "bound-" + name, internet_, port, uplink, ends);
    for (Attack attack : {lan, far}) {
      add(attack);
      attack.name += "-tcp";
      add(as(std::move(attack), Way::Packet, ProbeProtocol::Tcp));
    }
  }
  add(local(LanResolver, "routed-lan-dns-" + uplink.name, ends.neighbour, kDns));
  add(bound(WideLan, "neighbour", ends.neighbour, kPrinting, uplink, ends));
  add(local(WideLan, "routed-neighbour-" + uplink.name, ends.neighbour, kPrinting));
  const auto groups = family_ == Family::V4 ? std::span<const Group>(kGroups4) : kGroups6;
  for (const Group& group : groups) {
    add(bound(Multicast, std::string(group.name), address(group.address), group.port, uplink,
              ends));
  }
  add_bound_to_endpoint(uplink, ends);
  add_frames(uplink, ends);
}

void Writer::add_bound_to_endpoint(const TwinUplink& uplink, const UplinkEnds& ends) {
  using enum LeakClass;
  const net::Endpoint* peer = endpoint();
  if (peer == nullptr) return;
  const auto other_port = static_cast<std::uint16_t>(peer->port ^ 1);
  add(bound(EndpointInClear, "bound-endpoint", peer->address, peer->port, uplink, ends));
  add(bound(EndpointInClear, "bound-endpoint-other-port", peer->address, other_port, uplink, ends));
  Attack tcp =
      bound(EndpointInClear, "marked-endpoint-tcp", peer->address, peer->port, uplink, ends);
  tcp.mark = policy().mark.value;
  add(as(std::move(tcp), Way::Packet, ProbeProtocol::Tcp));
  Attack ping = bound(EndpointInClear, "marked-endpoint-ping", peer->address, 0, uplink, ends);
  ping.mark = policy().mark.value;
  add(as(std::move(ping), Way::Packet, ProbeProtocol::Echo));
  add(as(bound(RawFrame, "frame-to-endpoint", peer->address, peer->port, uplink, ends),
         Way::Frame));
}

void Writer::add_frames(const TwinUplink& uplink, const UplinkEnds& ends) {
  using enum LeakClass;
  const Attack frame = bound(RawFrame, "frame", internet_, kDiscard, uplink, ends);
  add(as(frame, Way::Frame));
  Attack bypass = frame;
  bypass.name = "frame-past-queue";
  add(as(std::move(bypass), Way::FrameBypass));
  Attack dns = bound(RawFrame, "frame-lan-dns", ends.neighbour, kDns, uplink, ends);
  add(as(std::move(dns), Way::Frame));
  Attack marked = frame;
  marked.name = "marked-frame";
  marked.mark = policy().mark.value;
  add(as(std::move(marked), Way::Frame));
}

void Writer::add_member(const TwinMember& member) {
  using enum LeakClass;
  if (!member.ends[family_]) return;
  const Origin origin = member.role == Role::Lan ? Origin::Forwarded : Origin::Container;
  const auto from = [&](LeakClass leak_class, std::string name, const Address& to,
                        std::uint16_t port, ProbeProtocol protocol = ProbeProtocol::Udp) {
    add({.name = std::move(name),
         .leak_class = leak_class,
         .family = family_,
         .origin = origin,
         .way = Way::Frame,
         .device = member.port,
         .packet = {.protocol = protocol,
                    .source = member.ends[family_]->own,
                    .destination = to,
                    .source_port = kSourcePort,
                    .destination_port = port}});
  };
  const bool v4 = family_ == Family::V4;
  from(v4 ? Forwarded : Ipv6, "datagram", internet_, kDiscard);
  from(Forwarded, "tcp", internet_, kHttps, ProbeProtocol::Tcp);
  from(Forwarded, "ping", internet_, 0, ProbeProtocol::Echo);
  from(FallbackResolver, "dns", internet_, kDns);
  from(TimeSync, "ntp", internet_, kNtp);
  const UplinkEnds& ends = *plan_.first_uplink().ends[family_];
  from(LanResolver, "lan-dns", ends.neighbour, kDns);
  from(LanResolver, "lan-dns-tcp", ends.neighbour, kDns, ProbeProtocol::Tcp);
  from(WideLan, "neighbour", ends.neighbour, kPrinting);
  if (const net::Endpoint* peer = endpoint()) {
    from(EndpointInClear, "endpoint", peer->address, peer->port);
    from(EndpointInClear, "endpoint-tcp", peer->address, peer->port, ProbeProtocol::Tcp);
  }
  for (const Address& server : policy().dns) {
    if (server.family() != family_ || is_near(net::Prefix::host(server))) continue;
    from(FallbackResolver, "resolver-" + server.to_string(), server, kDns);
  }
  add_forged(member, origin);
}

// Whoever answers would answer to the forged address, in clear; so would the host, with an error
// that quotes the packet.
void Writer::add_forged(const TwinMember& member, Origin origin) {
  Attack attack{.name = "forged-source",
                .leak_class = LeakClass::TunnelProbe,
                .family = family_,
                .origin = origin,
                .way = Way::Frame,
                .device = member.port,
                .packet = {.protocol = ProbeProtocol::Echo,
                           .source = plan_.first_uplink().ends[family_]->neighbour,
                           .destination = internet_,
                           .source_port = kSourcePort}};
  add(attack);
  Attack allowed = attack;
  attack.name = "forged-source-last-hop";
  attack.leak_class = LeakClass::IcmpError;
  attack.packet.hop_limit = 1;
  add(attack);
  const auto source = allowed_elsewhere();
  if (!source) return;
  allowed.name = "forged-allowed-source";
  allowed.packet.source = *source;
  add(std::move(allowed));
}

// Somebody behind an uplink's router who may be spoken to directly.
std::optional<Address> Writer::allowed_elsewhere() const {
  for (const net::Prefix& prefix : policy().allowed) {
    const Address& first = prefix.address();
    const bool is_routed = !first.is_multicast() && !first.is_link_local();
    if (prefix.family() != family_ || !is_routed || is_near(prefix)) continue;
    return prefix.length() == first.bits() ? first : first.plus(1);
  }
  return std::nullopt;
}

// Whether it is not by way of an uplink's router that it is reached with the lock off.
bool Writer::is_near(const net::Prefix& prefix) const {
  const auto has_it = [&](const TwinLink& link) {
    const bool is_subnet = std::ranges::any_of(
        link.addresses, [&](const auto& own) { return own.subnet().overlaps(prefix); });
    const bool is_behind =
        link.role != Role::Uplink && std::ranges::any_of(plan_.routes, [&](const auto& route) {
          return route.interface == link.name && route.destination.overlaps(prefix);
        });
    return is_subnet || is_behind;
  };
  return std::ranges::any_of(plan_.links, has_it);
}

void Writer::add_outside(const TwinUplink& uplink) {
  using enum LeakClass;
  const UplinkEnds& ends = *uplink.ends[family_];
  Attack attack{.leak_class = PublishedPort,
                .family = family_,
                .origin = Origin::Outside,
                .way = Way::Frame,
                .device = uplink.name,
                .packet = {.protocol = ProbeProtocol::Echo,
                           .source = internet_,
                           .destination = ends.own,
                           .source_port = kSourcePort}};
  attack.name = "ping-from-outside";
  add(attack);
  attack.leak_class = IcmpError;
  attack.name = "closed-port";
  attack.packet.protocol = ProbeProtocol::Udp;
  attack.packet.destination_port = kClosed;
  add(attack);
  for (const TwinMember& member : plan_.members) {
    if (!member.ends[family_] || member.ends[family_]->host.is_unspecified()) continue;
    attack.packet.destination = member.ends[family_]->own;
    attack.leak_class = IcmpError;
    attack.name = "last-hop-" + member.port;
    attack.packet.hop_limit = 1;
    add(attack);
  }
  add_probes_of_tunnel(uplink, ends);
}

void Writer::add_probes_of_tunnel(const TwinUplink& uplink, const UplinkEnds& ends) {
  for (const Address& own : policy().tunnel_addresses) {
    if (own.family() != family_) continue;
    Attack attack{.name = "ping-tunnel-address",
                  .leak_class = LeakClass::TunnelProbe,
                  .family = family_,
                  .origin = Origin::Outside,
                  .way = Way::Frame,
                  .device = uplink.name,
                  .packet = {.protocol = ProbeProtocol::Echo,
                             .source = ends.neighbour,
                             .destination = own,
                             .source_port = kSourcePort}};
    add(attack);
    attack.name = "closed-port-of-tunnel-address";
    attack.packet.protocol = ProbeProtocol::Udp;
    attack.packet.destination_port = kClosed;
    add(attack);
    if (family_ == Family::V6) return;
    attack.name = "arp-for-tunnel-address";
    attack.way = Way::ArpQuestion;
    add(attack);
    return;
  }
}

}  // namespace

std::string_view name_of(Origin origin) {
  switch (origin) {
    case Origin::Local:
      return "local";
    case Origin::Forwarded:
      return "forwarded";
    case Origin::Container:
      return "container";
    case Origin::Outside:
      return "outside";
  }
  std::unreachable();
}

std::string_view name_of(Way way) {
  switch (way) {
    case Way::Datagram:
      return "datagram";
    case Way::LiveDatagram:
      return "live datagram";
    case Way::Packet:
      return "raw packet";
    case Way::Frame:
      return "frame";
    case Way::FrameBypass:
      return "frame past the queue";
    case Way::ArpQuestion:
      return "arp question";
  }
  std::unreachable();
}

std::string Attack::id() const {
  return fmt::format("{} {}{}{} {} {}", id_of(leak_class), name, device.empty() ? "" : " ", device,
                     family == net::Family::V4 ? "v4" : "v6", name_of(origin));
}

Catalogue make_catalogue(const TwinPlan& plan) { return Writer(plan).write(); }

}  // namespace ginnel::leaks
