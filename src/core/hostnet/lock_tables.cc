#include "core/hostnet/lock_tables.h"

#include <fmt/format.h>

#include <algorithm>

namespace ginnel::hostnet {
namespace {

using nft::Accept;
using nft::AddressIn;
using nft::Base;
using nft::Chain;
using nft::Counter;
using nft::Drop;
using nft::Hook;
using nft::IcmpTypeIn;
using nft::InterfaceIs;
using nft::Is;
using nft::MarkIs;
using nft::MarkOf;
using nft::PortIn;
using nft::PortRange;
using nft::Protocol;
using nft::Rule;
using nft::Side;
using nft::Term;

constexpr net::Family kFamilies[] = {net::Family::V4, net::Family::V6};
constexpr Protocol kPortProtocols[] = {Protocol::Udp, Protocol::Tcp};

constexpr std::uint16_t kDhcpServer = 67;
constexpr std::uint16_t kDhcpClient = 68;
constexpr std::uint16_t kDhcp6Client = 546;
constexpr std::uint16_t kDhcp6Server = 547;

constexpr std::uint8_t kEcho4 = 8;
constexpr std::uint8_t kEcho6 = 128;
constexpr std::uint8_t kRouterSolicit = 133;
constexpr std::uint8_t kRouterAdvert = 134;
constexpr std::uint8_t kNeighborSolicit = 135;
constexpr std::uint8_t kNeighborAdvert = 136;

net::Prefix prefix(std::string_view text) { return net::Prefix::parse(text).value(); }

InterfaceIs in(std::vector<std::string> names, Is is = Is::Yes) {
  return {.direction = nft::Direction::In, .names = std::move(names), .is = is};
}
InterfaceIs out(std::vector<std::string> names, Is is = Is::Yes) {
  return {.direction = nft::Direction::Out, .names = std::move(names), .is = is};
}
AddressIn from(std::vector<net::Prefix> prefixes) {
  return {.side = Side::Source, .prefixes = std::move(prefixes)};
}
AddressIn to(std::vector<net::Prefix> prefixes) {
  return {.side = Side::Destination, .prefixes = std::move(prefixes)};
}
PortIn port(Protocol protocol, Side side, std::uint16_t number) {
  return {.protocol = protocol, .side = side, .ports = {PortRange::one(number)}};
}
// What everybody calls DNS: plain, and over TLS or QUIC.
PortIn dns_ports(Protocol protocol) {
  return {.protocol = protocol, .ports = {PortRange::one(53), PortRange::one(853)}};
}

std::string resolver_set(const net::Endpoint& resolver) {
  return fmt::format("resolvers{}-{}", resolver.address.is_v4() ? 4 : 6, resolver.port);
}

std::vector<net::Prefix> of_family(const std::vector<net::Prefix>& prefixes, net::Family family) {
  std::vector<net::Prefix> found;
  std::ranges::copy_if(prefixes, std::back_inserter(found),
                       [&](const net::Prefix& p) { return p.family() == family; });
  return found;
}
std::vector<net::Prefix> hosts_of(const std::vector<net::Address>& addresses, net::Family family) {
  std::vector<net::Prefix> found;
  for (const net::Address& address : addresses) {
    if (address.family() == family) found.push_back(net::Prefix::host(address));
  }
  return found;
}

// The resolvers' addresses by family and port, for as long as they are asked.
std::vector<nft::FadingSet> resolver_sets(const LockPolicy& policy) {
  std::vector<nft::FadingSet> sets;
  if (policy.state != LockState::Connecting) return sets;
  for (const net::Endpoint& resolver : policy.resolvers) {
    const std::string name = resolver_set(resolver);
    auto found = std::ranges::find(sets, name, &nft::FadingSet::name);
    if (found == sets.end()) {
      sets.push_back({.name = name,
                      .family = resolver.address.family(),
                      .lifetime = LockPolicy::kResolversLast});
      found = sets.end() - 1;
    }
    if (std::ranges::find(found->addresses, resolver.address) == found->addresses.end()) {
      found->addresses.push_back(resolver.address);
    }
  }
  return sets;
}

// The policy's lists in the forms that rules want.
class Rendering {
 public:
  explicit Rendering(const LockPolicy& policy) : policy_(policy) {
    for (const LockedLan& lan : policy.lans) lan_names_.push_back(lan.interface);
  }

  nft::Table filter() const;
  nft::Table devices() const;
  nft::Table neighbours() const;

 private:
  Chain guard() const;
  Chain answers() const;
  Chain replies() const;
  Chain beside() const;
  Chain whose() const;
  Chain translated() const;
  Chain output() const;
  Chain leaving() const;
  Chain dns() const;
  Chain forwarded() const;
  Chain input() const;
  Chain device(const LockedDevice& device) const;

  void add_accept(Chain& chain, std::vector<Term> terms) const {
    terms.emplace_back(Counter{});
    terms.emplace_back(Accept{});
    chain.rules.push_back({.terms = std::move(terms)});
  }
  // One rule for each family that has any of the prefixes.
  void add_accept_to(Chain& chain, const std::vector<Term>& before,
                     const std::vector<net::Prefix>& prefixes) const;
  void add_transport_out(Chain& chain) const;
  void add_fragments_out(Chain& chain) const;
  void add_dhcp_out(Chain& chain) const;
  void add_neighbours_out(Chain& chain) const;
  void add_lan_service(Chain& chain, const std::vector<Term>& before, const LockedLan& lan) const;
  void add_split_out(Chain& chain) const;
  void add_split_in(Chain& chain) const;
  void add_near_in(Chain& chain) const;
  void add_management_in(Chain& chain) const;
  void add_wide_management_in(Chain& chain, const LockedDevice& device) const;
  void add_transport_in(Chain& chain) const;

  MarkIs own_mark() const { return {.value = policy_.mark.value, .mask = policy_.mark.mask}; }
  // The networks that are reached directly; no groups.
  std::vector<net::Prefix> allowed_near(net::Family family) const {
    if (!policy_.passes_allowed()) return {};
    auto near = of_family(policy_.allowed, family);
    std::erase_if(near, [](const net::Prefix& p) { return p.address().is_multicast(); });
    return near;
  }
  bool splits() const { return policy_.passes_allowed() && !policy_.split.empty(); }
  // Every one that may leave here, with its place.
  template <class Add>
  void for_each_split(Add&& add) const {
    for (std::size_t place = 0; splits() && place < policy_.split.size(); ++place) {
      if (policy_.split[place].is_present()) {
        add(policy_.split[place], policy_.split_mark_of(place), lock_split_comment(place));
      }
    }
  }

  const LockPolicy& policy_;
  std::vector<std::string> lan_names_;
};

void Rendering::add_accept_to(Chain& chain, const std::vector<Term>& before,
                              const std::vector<net::Prefix>& prefixes) const {
  for (net::Family family : kFamilies) {
    auto alike = of_family(prefixes, family);
    if (alike.empty()) continue;
    std::vector<Term> terms = before;
    terms.emplace_back(to(std::move(alike)));
    add_accept(chain, std::move(terms));
  }
}

// Nobody reaches, or learns of, the tunnel's own addresses from elsewhere (CVE-2019-14899). And a
// LAN member speaks for itself only: the answer to a forged address would leave in clear.
Chain Rendering::guard() const {
  Chain chain{.name = "guard",
              .base = Base{.hook = Hook::Prerouting, .priority = nft::kPriorityRaw}};
  for (net::Family family : kFamilies) {
    auto own = hosts_of(policy_.tunnel_addresses, family);
    if (own.empty() || policy_.tunnels.empty()) continue;
    chain.rules.push_back(
        {.terms = {in(policy_.tunnels, Is::No), to(std::move(own)),
                   nft::AddressTypeIs{
                       .side = Side::Source, .type = nft::AddressType::Local, .is = Is::No},
                   Counter{}, Drop{}}});
  }
  // Who may be reached directly is known by his address alone: it has to be his. He may open
  // connections to the LAN. And where there is no way on for a packet, or it is at its last hop,
  // routing tells him so in clear, and quotes it, before rp_filter and the filter are asked.
  for (net::Family family : kFamilies) {
    auto near = allowed_near(family);
    if (near.empty()) continue;
    chain.rules.push_back(
        {.terms = {from(std::move(near)), nft::ReversePathMissing{}, Counter{}, Drop{}}});
  }
  if (lan_names_.empty()) return chain;
  // A neighbour that has no address yet asks from the unspecified one.
  const IcmpTypeIn discovery{
      .types = {kRouterSolicit, kRouterAdvert, kNeighborSolicit, kNeighborAdvert}};
  add_accept(chain, {in(lan_names_), discovery, nft::HopLimitIs{}});
  chain.rules.push_back({.terms = {in(lan_names_), nft::ReversePathMissing{}, Counter{}, Drop{}}});
  return chain;
}

// Answers to marked datagrams get the mark too, so that the check of where they come from takes the
// way that those went.
Chain Rendering::answers() const {
  Chain chain{.name = "answers",
              .base = Base{.hook = Hook::Prerouting, .priority = nft::kPriorityMangle}};
  const nft::SetMark mark{.value = policy_.mark.value, .mask = policy_.mark.mask};
  if (policy_.passes_transport()) {
    for (const net::Endpoint& endpoint : policy_.endpoints) {
      chain.rules.push_back({.terms = {from({net::Prefix::host(endpoint.address)}),
                                       port(Protocol::Udp, Side::Source, endpoint.port), mark}});
    }
  }
  // And what routers on the way say about them: how large they may be.
  std::vector<Term> errors = {nft::FamilyIs{net::Family::V4}, nft::ProtocolIn{{Protocol::Icmp}},
                              nft::ConnStateIn{nft::kRelated}, mark};
  if (!policy_.tunnels.empty()) errors.insert(errors.begin(), in(policy_.tunnels, Is::No));
  chain.rules.push_back({.terms = std::move(errors)});
  for_each_split([&](const SplitProgram&, const MarkBits& mine, std::string) {
    chain.rules.push_back(
        {.terms = {nft::ConnWayIs{nft::ConnWay::Reply},
                   MarkIs{.of = MarkOf::Connection, .value = mine.value, .mask = mine.mask},
                   nft::SetMark{.value = mine.value, .mask = mine.mask}}});
  });
  if (policy_.state == LockState::Connecting) {
    for (const net::Endpoint& resolver : policy_.resolvers) {
      for (Protocol protocol : kPortProtocols) {
        chain.rules.push_back({.terms = {from({net::Prefix::host(resolver.address)}),
                                         port(protocol, Side::Source, resolver.port), mark}});
      }
    }
  }
  return chain;
}

// A device's chain sees no connections: what belongs to one of management, and is a reply, carries
// that connection's mark from here on.
Chain Rendering::replies() const {
  Chain chain{
      .name = "replies",
      .base = Base{
          .type = nft::ChainType::Route, .hook = Hook::Output, .priority = nft::kPriorityMangle}};
  if (policy_.manage.empty()) return chain;
  for (const LockedDevice& device : policy_.devices) {
    const MarkBits mark = policy_.manage_mark_of(device);
    chain.rules.push_back(
        {.terms = {nft::ConnWayIs{nft::ConnWay::Reply},
                   MarkIs{.of = MarkOf::Connection, .value = mark.value, .mask = mark.mask},
                   nft::SetMark{.of = MarkOf::Packet, .value = mark.value, .mask = mark.mask}}});
  }
  return chain;
}

// Programs beside the tunnel: what they send gets their mark, and finds its way anew by it. Of a
// socket it is known whose it is; what is left of a connection when its program has closed it
// belongs to nobody, and goes on. A connection alone proves nothing: somebody else can take its
// port.
Chain Rendering::beside() const {
  Chain chain{
      .name = "beside",
      .base = Base{
          .type = nft::ChainType::Route, .hook = Hook::Output, .priority = nft::kPriorityMangle}};
  if (!splits()) return chain;
  // Others use these bits as well.
  chain.rules.push_back({.terms = {nft::SetMark{.value = 0, .mask = policy_.split_mark.mask}}});
  if (!policy_.split_dns) {
    for (Protocol protocol : kPortProtocols) {
      chain.rules.push_back({.terms = {dns_ports(protocol), nft::Return{}}});
    }
  }
  chain.rules.push_back(
      {.terms = {nft::SocketUserIs{.user = nft::kNoUser, .is = Is::No}, nft::Goto{"whose"}}});
  for_each_split([&](const SplitProgram&, const MarkBits& mark, std::string) {
    chain.rules.push_back(
        {.terms = {MarkIs{.of = MarkOf::Connection, .value = mark.value, .mask = mark.mask},
                   nft::ConnWayIs{nft::ConnWay::Original},
                   nft::SetMark{.value = mark.value, .mask = mark.mask}}});
  });
  return chain;
}

Chain Rendering::whose() const {
  Chain chain{.name = "whose"};
  for_each_split([&](const SplitProgram& program, const MarkBits& mark, std::string) {
    const Term is_its =
        program.has_user()
            ? Term(nft::SocketUserIs{.user = program.user})
            : Term(nft::SocketCgroupIs{.path = program.cgroup, .id = program.cgroup_id});
    chain.rules.push_back(
        {.terms = {is_its, nft::ConnWayIs{nft::ConnWay::Original},
                   nft::SetMark{.of = MarkOf::Connection, .value = mark.value, .mask = mark.mask},
                   nft::SetMark{.value = mark.value, .mask = mark.mask}, nft::Return{}}});
  });
  return chain;
}

// The address of a socket in a cgroup was chosen before its packets were known to go beside the
// tunnel: it is the tunnel's, which nobody outside shall see.
Chain Rendering::translated() const {
  Chain chain{.name = "translated",
              .base = Base{.type = nft::ChainType::Nat,
                           .hook = Hook::Postrouting,
                           .priority = nft::kPrioritySourceNat}};
  std::vector<std::string> inside = policy_.tunnels;
  inside.emplace_back("lo");
  for_each_split([&](const SplitProgram&, const MarkBits& mark, std::string) {
    chain.rules.push_back(
        {.terms = {out(inside, Is::No), MarkIs{.value = mark.value, .mask = mark.mask},
                   nft::Masquerade{}}});
  });
  return chain;
}

// By whatever device: a packet that finds its way anew keeps the old one's name in this hook.
void Rendering::add_split_out(Chain& chain) const {
  for_each_split([&](const SplitProgram&, const MarkBits& mark, std::string comment) {
    add_accept(chain, {MarkIs{.value = mark.value, .mask = mark.mask}});
    chain.rules.back().comment = std::move(comment);
  });
}

// Also counted, by themselves.
void Rendering::add_split_in(Chain& chain) const {
  for_each_split([&](const SplitProgram&, const MarkBits& mark, std::string comment) {
    add_accept(chain, {MarkIs{.of = MarkOf::Connection, .value = mark.value, .mask = mark.mask},
                       nft::ConnWayIs{nft::ConnWay::Reply},
                       nft::ConnStateIn{nft::kEstablished | nft::kRelated}});
    chain.rules.back().comment = std::move(comment);
  });
}

void Rendering::add_transport_out(Chain& chain) const {
  if (policy_.passes_transport()) {
    for (const net::Endpoint& endpoint : policy_.endpoints) {
      add_accept(chain, {own_mark(), to({net::Prefix::host(endpoint.address)}),
                         port(Protocol::Udp, Side::Destination, endpoint.port)});
    }
  }
  std::vector<std::string> added;
  if (policy_.state != LockState::Connecting) return;
  for (const net::Endpoint& resolver : policy_.resolvers) {
    const std::string set = resolver_set(resolver);
    if (std::ranges::find(added, set) != added.end()) continue;
    added.push_back(set);
    for (Protocol protocol : kPortProtocols) {
      add_accept(chain,
                 {own_mark(),
                  nft::AddressInSet{
                      .family = resolver.address.family(), .side = Side::Destination, .set = set},
                  port(protocol, Side::Destination, resolver.port)});
    }
  }
}

void Rendering::add_dhcp_out(Chain& chain) const {
  std::vector<net::Prefix> servers4 = hosts_of(policy_.dhcp_servers, net::Family::V4);
  servers4.push_back(prefix("255.255.255.255"));
  add_accept(chain, {to(std::move(servers4)), port(Protocol::Udp, Side::Source, kDhcpClient),
                     port(Protocol::Udp, Side::Destination, kDhcpServer)});
  std::vector<net::Prefix> servers6 = hosts_of(policy_.dhcp_servers, net::Family::V6);
  servers6.push_back(prefix("ff02::1:2"));
  add_accept(chain, {to(std::move(servers6)), port(Protocol::Udp, Side::Source, kDhcp6Client),
                     port(Protocol::Udp, Side::Destination, kDhcp6Server)});
}

void Rendering::add_neighbours_out(Chain& chain) const {
  add_accept(chain, {to({prefix("ff02::2")}), IcmpTypeIn{.types = {kRouterSolicit}}});
  // Neighbours that may be spoken to may be asked for at their own addresses too. Of those that
  // come from anywhere, neighbours are on the host's own networks.
  std::vector<net::Prefix> known = of_family(policy_.manage, net::Family::V6);
  std::erase_if(known, is_wide);
  for (const net::InterfaceAddress& own : policy_.own_addresses) {
    if (!own.address.is_v4() && !is_wide(own.subnet())) known.push_back(own.subnet());
  }
  known.push_back(prefix("fe80::/10"));
  if (policy_.passes_allowed()) {
    const auto allowed = of_family(policy_.allowed, net::Family::V6);
    known.insert(known.end(), allowed.begin(), allowed.end());
  }
  std::vector<net::Prefix> asked = known;
  asked.push_back(prefix("ff02::1:ff00:0/104"));
  add_accept(chain, {to(std::move(asked)), IcmpTypeIn{.types = {kNeighborSolicit}}});
  known.push_back(prefix("ff02::1"));  // To who asks from no address yet: it is taken.
  add_accept(chain, {to(std::move(known)), IcmpTypeIn{.types = {kNeighborAdvert}}});
}

// Its members are reached, and served with addresses.
void Rendering::add_lan_service(Chain& chain, const std::vector<Term>& before,
                                const LockedLan& lan) const {
  add_accept_to(chain, before, lan.prefixes);
  std::vector<Term> leases = before;
  leases.emplace_back(to({prefix("255.255.255.255")}));
  leases.emplace_back(port(Protocol::Udp, Side::Source, kDhcpServer));
  leases.emplace_back(port(Protocol::Udp, Side::Destination, kDhcpClient));
  add_accept(chain, std::move(leases));
  if (of_family(lan.prefixes, net::Family::V6).empty()) return;
  std::vector<Term> adverts = before;
  adverts.emplace_back(to({prefix("ff02::1"), prefix("fe80::/10")}));
  adverts.emplace_back(IcmpTypeIn{.types = {kRouterAdvert}});
  add_accept(chain, std::move(adverts));
}

Chain Rendering::output() const {
  Chain chain{.name = "output", .base = Base{.hook = Hook::Output, .policy = nft::Policy::Drop}};
  chain.rules.push_back({.terms = {out({"lo"}), Accept{}}});
  add_transport_out(chain);
  if (!policy_.manage.empty()) {
    for (const LockedDevice& device : policy_.devices) {
      const MarkBits mark = policy_.manage_mark_of(device);
      add_accept_to(chain,
                    {out({device.name}), nft::ConnWayIs{nft::ConnWay::Reply},
                     MarkIs{.of = MarkOf::Connection, .value = mark.value, .mask = mark.mask}},
                    policy_.manage);
    }
  }
  add_dhcp_out(chain);
  add_neighbours_out(chain);
  if (policy_.split_dns) add_split_out(chain);
  for (Protocol protocol : kPortProtocols) {
    chain.rules.push_back({.terms = {dns_ports(protocol), nft::Jump{"dns"}}});
  }
  if (!policy_.split_dns) add_split_out(chain);
  for (const LockedLan& lan : policy_.lans) add_lan_service(chain, {out({lan.interface})}, lan);
  chain.rules.push_back({.terms = {nft::Jump{"leaving"}}});
  chain.rules.push_back({.terms = {Counter{}, nft::Reject{nft::RejectWith::AdminProhibited}}});
  return chain;
}

// What local programs and LAN members may reach alike.
Chain Rendering::leaving() const {
  Chain chain{.name = "leaving"};
  if (policy_.passes_allowed()) add_accept_to(chain, {}, policy_.allowed);
  if (policy_.passes_tunnel() && !policy_.tunnels.empty()) {
    add_accept(chain, {out(policy_.tunnels)});
  }
  return chain;
}

// Before every exception: a resolver on the LAN would see each name that is asked for.
Chain Rendering::dns() const {
  Chain chain{.name = "dns"};
  if (policy_.passes_tunnel() && !policy_.tunnels.empty()) {
    for (net::Family family : kFamilies) {
      add_accept_to(chain, {out(policy_.tunnels)}, hosts_of(policy_.dns, family));
    }
  }
  chain.rules.push_back({.terms = {Counter{}, nft::Reject{}}});
  return chain;
}

Chain Rendering::forwarded() const {
  Chain chain{.name = "forwarded",
              .base = Base{.hook = Hook::Forward, .policy = nft::Policy::Drop}};
  chain.rules.push_back({.terms = {nft::TcpSyn{}, nft::ClampMss{}}});
  if (!lan_names_.empty()) {
    const nft::ConnStateIn live{nft::kEstablished | nft::kRelated};
    for (const LockedLan& lan : policy_.lans) {
      add_accept_to(chain, {in(lan_names_), out({lan.interface})}, lan.prefixes);
    }
    for (Protocol protocol : kPortProtocols) {
      chain.rules.push_back({.terms = {in(lan_names_), dns_ports(protocol), nft::Jump{"dns"}}});
    }
    chain.rules.push_back({.terms = {in(lan_names_), nft::Jump{"leaving"}}});
    if (policy_.passes_tunnel() && !policy_.tunnels.empty()) {
      add_accept(chain, {in(policy_.tunnels), out(lan_names_), live});
    }
    add_near_in(chain);
    chain.rules.push_back(
        {.terms = {in(lan_names_), Counter{}, nft::Reject{nft::RejectWith::AdminProhibited}}});
  }
  chain.rules.push_back({.terms = {Counter{}, Drop{}}});
  return chain;
}

// Networks that are reached directly reach the LAN, too: what its members offer there is theirs to
// refuse, and they may send there whatever they like.
void Rendering::add_near_in(Chain& chain) const {
  for (net::Family family : kFamilies) {
    const auto near = allowed_near(family);
    if (near.empty()) continue;
    for (const LockedLan& lan : policy_.lans) {
      auto members = of_family(lan.prefixes, family);
      if (members.empty()) continue;
      std::vector<Term> terms = {from(near), out({lan.interface}), to(std::move(members))};
      if (!policy_.tunnels.empty()) terms.insert(terms.begin(), in(policy_.tunnels, Is::No));
      add_accept(chain, std::move(terms));
    }
  }
}

// Whoever opened the connection: one that lives when the lock comes has to go on. (From a wide
// prefix that would be every one that the host itself had opened.)
void Rendering::add_management_in(Chain& chain) const {
  std::vector<net::Prefix> narrow = policy_.manage;
  std::erase_if(narrow, is_wide);
  for (const LockedDevice& device : policy_.devices) {
    add_wide_management_in(chain, device);
    const MarkBits mark = policy_.manage_mark_of(device);
    for (net::Family family : kFamilies) {
      auto alike = of_family(narrow, family);
      if (alike.empty()) continue;
      chain.rules.push_back(
          {.terms = {in({device.name}), from(std::move(alike)),
                     nft::ConnWayIs{nft::ConnWay::Original},
                     nft::SetMark{.of = MarkOf::Connection, .value = mark.value, .mask = mark.mask},
                     Counter{}, Accept{}}});
    }
  }
}

// What begins there: a connection of TCP, or a ping. The first datagram that comes could be the
// answer to one that left before the lock, and what the host sends on would leave in clear.
void Rendering::add_wide_management_in(Chain& chain, const LockedDevice& device) const {
  std::vector<net::Prefix> wide = policy_.manage;
  std::erase_if(wide, [](const net::Prefix& each) { return !is_wide(each); });
  if (wide.empty()) return;
  const MarkBits mark = policy_.manage_mark_of(device);
  for (net::Family family : kFamilies) {
    const auto alike = of_family(wide, family);
    if (alike.empty()) continue;
    const IcmpTypeIn ping{.family = family, .types = {family == net::Family::V4 ? kEcho4 : kEcho6}};
    for (const Term& begins : {Term(nft::TcpSyn{}), Term(ping)}) {
      chain.rules.push_back(
          {.terms = {in({device.name}), from(alike), begins, nft::ConnStateIn{nft::kNew},
                     nft::SetMark{.of = MarkOf::Connection, .value = mark.value, .mask = mark.mask},
                     Counter{}, Accept{}}});
    }
  }
  add_accept(chain, {in({device.name}), nft::ConnWayIs{nft::ConnWay::Original},
                     MarkIs{.of = MarkOf::Connection, .value = mark.value, .mask = mark.mask}});
}

// An answer is no part of a connection any more when connections were forgotten meanwhile.
void Rendering::add_transport_in(Chain& chain) const {
  if (!policy_.passes_transport()) return;
  for (const net::Endpoint& endpoint : policy_.endpoints) {
    std::vector<Term> terms = {from({net::Prefix::host(endpoint.address)}),
                               port(Protocol::Udp, Side::Source, endpoint.port)};
    if (!policy_.listen_ports.empty()) {
      PortIn own{.protocol = Protocol::Udp};
      for (std::uint16_t number : policy_.listen_ports) own.ports.push_back(PortRange::one(number));
      terms.emplace_back(std::move(own));
    }
    add_accept(chain, std::move(terms));
  }
}

Chain Rendering::input() const {
  Chain chain{.name = "input", .base = Base{.hook = Hook::Input, .policy = nft::Policy::Drop}};
  chain.rules.push_back({.terms = {in({"lo"}), Accept{}}});
  add_management_in(chain);
  add_split_in(chain);
  add_accept(chain, {nft::ConnStateIn{nft::kEstablished | nft::kRelated}});
  add_transport_in(chain);
  if (!lan_names_.empty()) add_accept(chain, {in(lan_names_)});
  add_accept(chain, {nft::FamilyIs{net::Family::V4}, port(Protocol::Udp, Side::Source, kDhcpServer),
                     port(Protocol::Udp, Side::Destination, kDhcpClient)});
  add_accept(chain, {from({prefix("fe80::/10")}), port(Protocol::Udp, Side::Source, kDhcp6Server),
                     port(Protocol::Udp, Side::Destination, kDhcp6Client)});
  add_accept(chain, {IcmpTypeIn{.types = {kRouterAdvert, kNeighborSolicit, kNeighborAdvert}},
                     nft::HopLimitIs{}});
  std::vector<net::Prefix> groups;  // What is asked of a group is answered to the group.
  if (policy_.passes_allowed()) {
    std::ranges::copy_if(policy_.allowed, std::back_inserter(groups),
                         [](const net::Prefix& p) { return p.address().is_multicast(); });
  }
  add_accept_to(chain, {}, groups);
  chain.rules.push_back({.terms = {Counter{}, Drop{}}});
  return chain;
}

nft::Table Rendering::filter() const {
  const Owner owner = LockPolicy::owner();
  nft::Table table{
      .family = nft::Family::Inet,
      .name = owner.table_name(),
      .comment = owner.mark(),
      .owned = policy_.owned,
      .fading = resolver_sets(policy_),
      .chains = {guard(), answers(), replies(), output(), leaving(), dns(), forwarded(), input()}};
  if (splits()) table.chains.insert(table.chains.end(), {beside(), whose(), translated()});
  return table;
}

// A datagram that is larger than the way takes leaves in pieces, of which only the first has ports.
// All carry the mark that the whole had when the filter looked at it.
void Rendering::add_fragments_out(Chain& chain) const {
  if (!policy_.passes_transport()) return;
  for (const net::Endpoint& endpoint : policy_.endpoints) {
    add_accept(chain,
               {own_mark(), to({net::Prefix::host(endpoint.address)}),
                nft::ProtocolIn{{Protocol::Udp}}, nft::LaterFragment{endpoint.address.family()}});
  }
}

// The same as output() and forwarded() together, in terms that a device knows.
Chain Rendering::device(const LockedDevice& device) const {
  Chain chain{
      .name = lock_chain_name(device),
      .base = Base{.hook = Hook::Egress, .policy = nft::Policy::Drop, .device = device.name}};
  add_accept(chain, {nft::EtherTypeIs{nft::EtherType::Arp}});
  add_transport_out(chain);
  add_fragments_out(chain);
  const MarkBits mark = policy_.manage_mark_of(device);
  add_accept_to(chain, {MarkIs{.value = mark.value, .mask = mark.mask}}, policy_.manage);
  add_dhcp_out(chain);
  add_neighbours_out(chain);
  if (policy_.split_dns) add_split_out(chain);
  // Before DNS: what LAN members ask each other is forwarded, or bridged, and their own affair.
  if (const LockedLan* lan = policy_.lan_of(device)) add_lan_service(chain, {}, *lan);
  for (Protocol protocol : kPortProtocols) {
    chain.rules.push_back({.terms = {dns_ports(protocol), Counter{}, Drop{}}});
  }
  if (!policy_.split_dns) add_split_out(chain);
  if (policy_.passes_allowed()) add_accept_to(chain, {}, policy_.allowed);
  chain.rules.push_back({.terms = {Counter{}, Drop{}}});
  return chain;
}

nft::Table Rendering::devices() const {
  const Owner owner = LockPolicy::owner();
  nft::Table table{.family = nft::Family::Netdev,
                   .name = owner.table_name(),
                   .comment = owner.mark(),
                   .owned = policy_.owned,
                   .fading = resolver_sets(policy_)};
  for (const LockedDevice& each : policy_.devices) table.chains.push_back(device(each));
  return table;
}

// A neighbour that asks for our address is checked as if it were a packet: the way back to it has
// to be where it came in, which is so for what carries the mark. Unanswered, the router forgets us.
nft::Table Rendering::neighbours() const {
  const Owner owner = LockPolicy::owner();
  const nft::SetMark mark{.value = policy_.mark.value, .mask = policy_.mark.mask};
  return {.family = nft::Family::Arp,
          .name = owner.table_name(),
          .comment = owner.mark(),
          .owned = policy_.owned,
          .chains = {
              {.name = "asked", .base = Base{.hook = Hook::Input}, .rules = {{.terms = {mark}}}}}};
}

}  // namespace

std::vector<nft::Table> lock_tables(const LockPolicy& policy) {
  if (policy.state == LockState::Off) return {};
  const Rendering rendering(policy);
  return {rendering.filter(), rendering.devices(), rendering.neighbours()};
}

std::string lock_split_comment(std::size_t place) { return fmt::format("split {}", place + 1); }

std::string lock_chain_name(const LockedDevice& device) {
  return "egress-" + nft_name(device.name);
}

}  // namespace ginnel::hostnet
