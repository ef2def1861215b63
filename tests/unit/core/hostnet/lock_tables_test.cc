// The three layers of a kill switch must agree about every packet, and about the one description of
// what may leave that stands here in plain words.
#include "core/hostnet/lock_tables.h"

#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <random>

#include "core/hostnet/lock_routing.h"
#include "core/hostnet/nft_lower.h"
#include "core/hostnet/nft_print.h"
#include "core/hostnet/nft_verdict.h"
#include "unit/core/hostnet/lock_samples.h"
#include "unit/core/hostnet/route_evaluator.h"

namespace ginnel::hostnet {
namespace {

using nft::ConnWay;
using nft::ListedTable;
using nft::PartialPacket;
using nft::Protocol;

constexpr std::uint32_t kMark = 0x8888;
constexpr std::uint32_t kManageEth0 = 2u << 16;
constexpr std::uint32_t kUser = 1000;  // Beside the tunnel.
constexpr std::uint32_t kOther = 1001;
constexpr std::uint64_t kCgroup = 77;  // The second program beside the tunnel.

class Lock {
 public:
  explicit Lock(LockState state) : Lock(full_policy(state)) {}
  explicit Lock(LockPolicy policy) : policy_(std::move(policy)), routing_(lock_routing(policy_)) {
    for (const nft::Table& table : lock_tables(policy_)) {
      auto listed = nft::as_listed(table);
      EXPECT_TRUE(listed) << listed.error().message;
      tables_.push_back(std::move(*listed));
    }
    main_ = {{.destination = to_prefix("0.0.0.0/0"), .interface = "eth0"},
             {.destination = to_prefix("::/0"), .interface = "eth0"},
             {.destination = to_prefix("10.100.0.0/24"), .interface = "eth1"},
             {.destination = to_prefix("fd10::/64"), .interface = "eth1"}};
    for (const auto* routes : {&routing_.unreachable, &routing_.through_tunnel}) {
      main_.insert(main_.end(), routes->begin(), routes->end());
    }
  }

  const LockPolicy& policy() const { return policy_; }

  // The layers' verdicts on a packet from a local program.
  bool filter_passes(PartialPacket packet, const std::string& out) const {
    packet.out_interface = out;
    packet.mark = marked(packet);
    return passes(tables_[0], "output", packet);
  }
  // On one of a LAN member.
  bool forward_passes(PartialPacket packet, const std::string& out) const {
    packet.in_interface = "eth1";
    packet.out_interface = out;
    return passes(tables_[0], "forwarded", packet);
  }
  bool device_passes(PartialPacket packet, const std::string& out) const {
    packet.out_interface = out;
    packet.mark = marked(packet);
    return passes(tables_[1], "egress-" + out, packet);
  }
  std::optional<std::string> route(const PartialPacket& packet) const {
    // Once more after the filter has marked it.
    std::optional<std::string> way;
    for (std::uint32_t mark : {packet.mark.value_or(0), marked(packet)}) {
      way = route_packet(routing_.rules, main_,
                         {.destination = *packet.destination,
                          .mark = mark,
                          .user = packet.socket->user.value_or(kOther)});
    }
    return way;
  }
  // On one for a LAN member.
  bool arrives(PartialPacket packet, const std::string& in) const {
    packet.in_interface = in;
    packet.out_interface = "eth1";
    return passes(tables_[0], "forwarded", packet);
  }
  bool input_passes(const PartialPacket& packet) const {
    return passes(tables_[0], "input", packet);
  }
  bool guard_passes(const PartialPacket& packet) const {
    return passes(tables_[0], "guard", packet);
  }

 private:
  static bool passes(const ListedTable& table, std::string_view name, const PartialPacket& packet) {
    const nft::ListedChain* chain = table.find_chain(name);
    if (!chain) ADD_FAILURE() << "no chain " << name;
    const nft::Judgement judgement = judge(table, *chain, packet);
    EXPECT_TRUE(judgement.certain);
    return !judgement.dropped;
  }
  // By the chains before the filter's.
  std::uint32_t marked(PartialPacket packet) const {
    for (const char* name : {"replies", "beside"}) {
      const nft::ListedChain* chain = tables_[0].find_chain(name);
      if (!chain) continue;
      packet.mark = judge(tables_[0], *chain, packet).mark;
      EXPECT_TRUE(packet.mark.has_value());
    }
    return packet.mark.value_or(0);
  }

  LockPolicy policy_;
  LockRouting routing_;
  std::vector<ListedTable> tables_;
  std::vector<Route> main_;
};

bool is_in(const std::vector<net::Prefix>& prefixes, const net::Address& address) {
  return std::ranges::any_of(prefixes, [&](const net::Prefix& p) { return p.contains(address); });
}
bool is_among(const std::vector<net::Address>& addresses, const net::Address& address) {
  return std::ranges::find(addresses, address) != addresses.end();
}
bool is_dns(const PartialPacket& packet) {
  const auto port = packet.destination_port;
  return (packet.protocol == Protocol::Udp || packet.protocol == Protocol::Tcp) &&
         (port == 53 || port == 853);
}

bool is_transport(const LockPolicy& policy, const PartialPacket& packet) {
  if ((*packet.mark & 0xffff) != kMark) return false;
  const auto reaches = [&](const net::Endpoint& endpoint) {
    return endpoint.address == packet.destination && endpoint.port == packet.destination_port;
  };
  const bool to_endpoint = policy.passes_transport() && packet.protocol == Protocol::Udp &&
                           std::ranges::any_of(policy.endpoints, reaches);
  const bool to_resolver = policy.state == LockState::Connecting &&
                           (packet.protocol == Protocol::Udp || packet.protocol == Protocol::Tcp) &&
                           std::ranges::any_of(policy.resolvers, reaches);
  return to_endpoint || to_resolver;
}

// What keeps a host on its network: leases, and knowing its neighbours.
bool is_housekeeping(const LockPolicy& policy, const PartialPacket& packet) {
  const net::Address& to = *packet.destination;
  if (packet.protocol == Protocol::Udp && packet.source_port == 68 &&
      packet.destination_port == 67 && to.is_v4()) {
    return to == to_address("255.255.255.255") || is_among(policy.dhcp_servers, to);
  }
  if (packet.protocol == Protocol::Udp && packet.source_port == 546 &&
      packet.destination_port == 547) {
    return to == to_address("ff02::1:2");
  }
  if (packet.protocol != Protocol::Icmp6 || to.is_v4()) return false;
  const auto is_near = [&](const net::Prefix& p) { return !is_wide(p) && p.contains(to); };
  const bool manages = std::ranges::any_of(policy.manage, is_near) ||
                       std::ranges::any_of(policy.own_addresses, [&](const auto& own) {
                         return own.subnet().contains(to);
                       });
  const bool known = to_prefix("fe80::/10").contains(to) || manages ||
                     (policy.passes_allowed() && is_in(policy.allowed, to));
  if (packet.icmp_type == 133) return to == to_address("ff02::2");
  if (packet.icmp_type == 135) return known || to_prefix("ff02::1:ff00:0/104").contains(to);
  if (packet.icmp_type == 136) return known || to == to_address("ff02::1");
  return false;
}

bool is_management_reply(const LockPolicy& policy, const PartialPacket& packet) {
  return packet.way == ConnWay::Reply && (*packet.connection_mark & 0xff0000) == kManageEth0 &&
         is_in(policy.manage, *packet.destination);
}

// Sent by a program beside the tunnel, whoever else had its port before.
bool is_split(const LockPolicy& policy, const PartialPacket& packet) {
  if (!policy.passes_allowed() || packet.way == ConnWay::Reply) return false;
  if (is_dns(packet) && !policy.split_dns) return false;
  const nft::SendingSocket& socket = *packet.socket;
  if (socket.user) {
    return socket.user == kUser || (socket.cgroups.size() > 1 && socket.cgroups[1] == kCgroup);
  }
  const std::uint32_t place = *packet.connection_mark >> 24;
  return place == 1 || place == 2;
}

// What may leave by eth0 from a local program: everything else is a leak.
bool may_leave(const LockPolicy& policy, const PartialPacket& packet) {
  if (is_transport(policy, packet) || is_housekeeping(policy, packet) ||
      is_management_reply(policy, packet) || is_split(policy, packet)) {
    return true;
  }
  return policy.passes_allowed() && is_in(policy.allowed, *packet.destination) && !is_dns(packet);
}

class Packets {
 public:
  explicit Packets(std::uint32_t seed) : random_(seed) {}

  PartialPacket next() {
    PartialPacket packet;
    packet.family = chance(2) ? net::Family::V4 : net::Family::V6;
    const bool v4 = packet.family == net::Family::V4;
    packet.destination = v4 ? to_address(pick(kDestinations4)) : to_address(pick(kDestinations6));
    if (chance(4)) packet.destination = packet.destination->plus(random_() % 512);
    packet.source = v4 ? to_address("192.168.1.7") : to_address("fd00:5::7");
    packet.protocol =
        pick({Protocol::Udp, Protocol::Udp, Protocol::Tcp, v4 ? Protocol::Icmp : Protocol::Icmp6});
    if (packet.protocol == Protocol::Udp || packet.protocol == Protocol::Tcp) {
      packet.source_port = pick(kPorts);
      packet.destination_port = pick(kPorts);
    } else {
      packet.icmp_type = pick({std::uint8_t{8}, std::uint8_t{133}, std::uint8_t{134},
                               std::uint8_t{135}, std::uint8_t{136}, std::uint8_t{143}});
    }
    packet.hop_limit = chance(2) ? 255 : 64;
    packet.mark = pick({0u, 0u, kMark, kMark | 0x40000000u, 0x8880u, 0x18888u & 0xffffu, 7u,
                        1u << 24, (2u << 24) | kMark});
    packet.connection_mark = pick({0u, 0u, kManageEth0, 3u << 16, kManageEth0 | 5u, 1u << 24,
                                   2u << 24, 3u << 24, kManageEth0 | (1u << 24)});
    packet.socket = pick(sockets_);
    packet.way = chance(2) ? ConnWay::Original : ConnWay::Reply;
    packet.state = packet.way == ConnWay::Reply || chance(2) ? nft::kEstablished : nft::kNew;
    return packet;
  }

 private:
  static constexpr const char* kDestinations4[] = {
      "198.51.100.1", "198.51.100.2", "8.8.8.8",     "10.2.0.1",       "10.2.0.9",
      "192.168.7.9",  "192.168.50.9", "192.168.1.1", "192.168.1.9",    "10.100.0.9",
      "224.0.0.251",  "224.0.0.252",  "9.9.9.9",     "255.255.255.255"};
  static constexpr const char* kDestinations6[] = {
      "2001:db8:1::1", "2001:db8:1::2", "2001:4860::8888", "fd02::1",        "fd07::9",
      "fd10::9",       "fe80::9",       "ff02::1",         "ff02::2",        "2001:db8:50::9",
      "ff02::1:2",     "ff02::16",      "ff02::fb",        "ff02::1:ff00:9", "fd00:5::9"};
  static constexpr std::uint16_t kPorts[] = {53, 853, 67, 68, 546, 547, 51820, 51821, 443, 40000};

  bool chance(unsigned one_in) { return random_() % one_in == 0; }
  const nft::SendingSocket sockets_[9] = {{.user = kOther},
                                          {.user = kOther, .cgroups = {5}},
                                          {.user = 0, .cgroups = {5, 6, kCgroup}},
                                          {.user = kOther, .cgroups = {kCgroup, 5}},
                                          {.user = kUser},
                                          {.user = kUser, .cgroups = {5, kCgroup}},
                                          {.user = kOther, .cgroups = {5, kCgroup}},
                                          {.user = 0, .cgroups = {5, kCgroup, 8}},
                                          {.cgroups = {5, 6}}};

  template <class T, std::size_t kSize>
  T pick(const T (&values)[kSize]) {
    return values[random_() % kSize];
  }

  std::mt19937 random_;
};

std::string describe(const PartialPacket& packet) {
  return fmt::format(
      "to {} protocol {} ports {} {} icmp {} mark {:#x} connection mark {:#x} {} "
      "user {} cgroups {}",
      packet.destination->to_string(), static_cast<int>(*packet.protocol),
      packet.source_port.value_or(0), packet.destination_port.value_or(0),
      packet.icmp_type.value_or(0), *packet.mark, *packet.connection_mark,
      packet.way == ConnWay::Reply ? "reply" : "original",
      packet.socket->user.value_or(nft::kNoUser), fmt::join(packet.socket->cgroups, "/"));
}

PartialPacket udp(const char* from, std::uint16_t source, const char* to, std::uint16_t port) {
  return {.family = to_address(to).family(),
          .in_interface = "eth0",
          .source = to_address(from),
          .destination = to_address(to),
          .protocol = Protocol::Udp,
          .source_port = source,
          .destination_port = port,
          .icmp_type = {},
          .hop_limit = 64,
          .connection_mark = 0,
          .way = ConnWay::Original};
}

constexpr int kPackets = 4000;

TEST(LockLayers, LetOutWhatIsExceptedAndNothingElse) {
  for (LockState state :
       {LockState::Locked, LockState::Connecting, LockState::Connected, LockState::Error}) {
    const Lock lock(state);
    Packets packets(1);
    for (int i = 0; i < kPackets; ++i) {
      const PartialPacket packet = packets.next();
      SCOPED_TRACE(fmt::format("{}, {}", name_of(state), describe(packet)));
      const bool may = may_leave(lock.policy(), packet);
      EXPECT_EQ(lock.filter_passes(packet, "eth0"), may);
      EXPECT_EQ(lock.device_passes(packet, "eth0"), may);
    }
  }
}

TEST(LockLayers, LetOutTheQuestionsOfProgramsBesideTheTunnelWhenAsked) {
  LockPolicy policy = full_policy(LockState::Connected);
  policy.split_dns = true;
  const Lock lock(policy);
  Packets packets(4);
  int asked = 0;
  for (int i = 0; i < kPackets; ++i) {
    const PartialPacket packet = packets.next();
    SCOPED_TRACE(describe(packet));
    const bool may = may_leave(policy, packet);
    EXPECT_EQ(lock.filter_passes(packet, "eth0"), may);
    EXPECT_EQ(lock.device_passes(packet, "eth0"), may);
    asked += may && is_dns(packet);
  }
  EXPECT_GT(asked, 20);
}

LockPolicy managed_from_anywhere(LockState state) {
  LockPolicy policy = full_policy(state);
  policy.manage = {to_prefix("0.0.0.0/0"), to_prefix("::/0")};
  policy.own_addresses = {{to_address("192.168.1.7"), 24}, {to_address("fd00:5::7"), 64}};
  return policy;
}

TEST(LockLayers, LetOutRepliesAloneToWhoManagesFromAnywhere) {
  for (LockState state : {LockState::Locked, LockState::Connected, LockState::Error}) {
    const LockPolicy policy = managed_from_anywhere(state);
    const Lock lock(policy);
    Packets packets(5);
    for (int i = 0; i < kPackets; ++i) {
      const PartialPacket packet = packets.next();
      SCOPED_TRACE(fmt::format("{}, {}", name_of(state), describe(packet)));
      const bool may = may_leave(policy, packet);
      EXPECT_EQ(lock.filter_passes(packet, "eth0"), may);
      EXPECT_EQ(lock.device_passes(packet, "eth0"), may);
    }
  }
}

// The filter sees datagrams whole, a device in pieces, all of which have the mark of the whole.
TEST(LockLayers, LetOutTheFragmentsOfTheTunnelsOwnDatagrams) {
  struct Row {
    const char* to;
    std::uint32_t mark;
    Protocol protocol;
    bool passes;
  };
  const Row rows[] = {
      {"198.51.100.1", kMark, Protocol::Udp, true},
      {"2001:db8:1::1", kMark, Protocol::Udp, true},
      {"198.51.100.1", kMark | 0x40000000u, Protocol::Udp, true},
      {"198.51.100.1", 0, Protocol::Udp, false},
      {"2001:db8:1::1", 0, Protocol::Udp, false},
      {"198.51.100.1", 0x8880, Protocol::Udp, false},
      {"198.51.100.2", kMark, Protocol::Udp, false},
      {"2001:db8:1::2", kMark, Protocol::Udp, false},
      {"198.51.100.1", kMark, Protocol::Tcp, false},
  };
  for (LockState state : {LockState::Locked, LockState::Connecting, LockState::Connected}) {
    const Lock lock(state);
    for (const Row& row : rows) {
      PartialPacket fragment = udp("192.168.1.7", 51820, row.to, 51820);
      fragment.protocol = row.protocol;
      fragment.mark = row.mark;
      fragment.socket = {.user = kOther, .cgroups = {}};
      fragment.later_fragment = true;
      SCOPED_TRACE(fmt::format("{}, {}", name_of(state), describe(fragment)));
      EXPECT_EQ(lock.device_passes(fragment, "eth0"),
                row.passes && lock.policy().passes_transport());
    }
  }
}

TEST(LockLayers, AgreeAboutTheLan) {
  for (LockState state :
       {LockState::Locked, LockState::Connecting, LockState::Connected, LockState::Error}) {
    const Lock lock(state);
    Packets packets(2);
    for (int i = 0; i < kPackets; ++i) {
      const PartialPacket packet = packets.next();
      SCOPED_TRACE(fmt::format("{}, {}", name_of(state), describe(packet)));
      for (const char* out : {"eth0", "eth1"}) {
        const bool device = lock.device_passes(packet, out);
        const bool local = lock.filter_passes(packet, out);
        // A LAN member's packets are not marked, and belong to no connection of management.
        PartialPacket forwarded = packet;
        forwarded.connection_mark = 0;
        const bool from_lan = lock.forward_passes(forwarded, out);
        EXPECT_TRUE(device || !local) << out;
        EXPECT_TRUE(lock.device_passes(forwarded, out) || !from_lan) << out;
        EXPECT_TRUE(local || from_lan || !device) << out;
      }
    }
  }
}

// Where routing leads a packet, the other layers let it go; where they let it go outside, routing
// leads it there, but for what a device is asked for by itself.
TEST(LockLayers, AgreeWithRouting) {
  const Lock lock(LockState::Connected);
  Packets packets(3);
  int into_tunnel = 0;
  int outside = 0;
  for (int i = 0; i < kPackets; ++i) {
    const PartialPacket packet = packets.next();
    SCOPED_TRACE(describe(packet));
    const net::Address& to = *packet.destination;
    if (to.is_multicast() || to.is_link_local() || to == to_address("255.255.255.255")) continue;
    const auto way = lock.route(packet);
    if (way == "wg0") {
      const bool listed = !is_dns(packet) || is_among(lock.policy().dns, to);
      EXPECT_EQ(lock.filter_passes(packet, "wg0"),
                listed || is_housekeeping(lock.policy(), packet));
      ++into_tunnel;
    }
    const bool passes = lock.filter_passes(packet, "eth0");
    const bool to_lan = is_in(lock.policy().lans[0].prefixes, to);
    const bool solicits = packet.protocol == Protocol::Icmp6 && *packet.icmp_type >= 133;
    // A program beside the tunnel may go there directly, and is led there with everybody else.
    const bool asks_tunnel = is_split(lock.policy(), packet) && is_among(lock.policy().dns, to);
    if (passes && !to_lan && !solicits && !asks_tunnel) {
      EXPECT_EQ(way, "eth0");
      ++outside;
    }
  }
  EXPECT_GT(into_tunnel, kPackets / 20);
  EXPECT_GT(outside, kPackets / 20);
}

// Its packets go by the main table, whose default leads outside; what it asks the tunnel's servers
// does not.
TEST(LockLayers, LeadAProgramBesideTheTunnelOutsideThoughTheTunnelIsGone) {
  const Lock lock(LockState::Locked);
  PartialPacket packet = udp("192.168.1.7", 40000, "8.8.8.8", 443);
  packet.socket = {.user = kOther, .cgroups = {}};
  EXPECT_EQ(lock.route(packet), std::nullopt);
  packet.socket->user = kUser;
  EXPECT_EQ(lock.route(packet), "eth0");
  packet.destination = to_address("10.2.0.1");
  EXPECT_EQ(lock.route(packet), std::nullopt);
}

TEST(LockLayers, LetNetworksThatAreReachedDirectlyReachTheLan) {
  struct Row {
    const char* from;
    const char* to;
    const char* in;
    bool arrives;
  };
  const Row rows[] = {
      {"192.168.7.9", "10.100.0.9", "eth0", true},
      {"fd07::9", "fd10::9", "eth0", true},
      {"192.168.7.9", "10.100.0.9", "wg0", false},
      {"fd07::9", "fd10::9", "wg1", false},
      {"192.168.8.9", "10.100.0.9", "eth0", false},
      {"192.168.50.9", "10.100.0.9", "eth0", false},  // Management is of the host itself.
      {"224.0.0.251", "10.100.0.9", "eth0", false},
      {"192.168.7.9", "10.101.0.9", "eth0", false},
      {"fd07::9", "2001:db8::9", "eth0", false},
  };
  for (LockState state :
       {LockState::Locked, LockState::Connecting, LockState::Connected, LockState::Error}) {
    const Lock lock(state);
    for (const Row& row : rows) {
      SCOPED_TRACE(fmt::format("{} to {} by {}, {}", row.from, row.to, row.in, name_of(state)));
      PartialPacket packet = udp(row.from, 40000, row.to, 8080);
      packet.mark = 0;
      packet.state = nft::kNew;
      EXPECT_EQ(lock.arrives(packet, row.in), row.arrives && state != LockState::Error);
    }
  }
}

TEST(LockInput, TakesWhatIsExpectedOnly) {
  const Lock lock(LockState::Connected);
  EXPECT_TRUE(lock.input_passes(udp("198.51.100.1", 51820, "192.168.1.7", 51820)));
  EXPECT_TRUE(lock.input_passes(udp("2001:db8:1::1", 51820, "fd00:5::7", 51821)));
  EXPECT_FALSE(lock.input_passes(udp("198.51.100.1", 51820, "192.168.1.7", 22)));
  EXPECT_FALSE(lock.input_passes(udp("198.51.100.2", 51820, "192.168.1.7", 51820)));
  EXPECT_TRUE(lock.input_passes(udp("192.168.1.1", 67, "192.168.1.7", 68)));
  EXPECT_TRUE(lock.input_passes(udp("192.168.50.9", 40000, "192.168.1.7", 22)));
  EXPECT_FALSE(lock.input_passes(udp("192.168.7.9", 40000, "192.168.1.7", 22)));
  EXPECT_FALSE(lock.input_passes(udp("8.8.8.8", 40000, "192.168.1.7", 22)));
  EXPECT_TRUE(lock.input_passes(udp("192.168.7.9", 5353, "224.0.0.251", 5353)));
  PartialPacket from_lan = udp("10.100.0.9", 40000, "10.100.0.2", 53);
  from_lan.in_interface = "eth1";
  EXPECT_TRUE(lock.input_passes(from_lan));
  PartialPacket from_tunnel = udp("8.8.8.8", 40000, "10.2.0.2", 22);
  from_tunnel.in_interface = "wg0";
  EXPECT_FALSE(lock.input_passes(from_tunnel));
}

// The first that is heard of a connection could be the answer to what left before the lock.
TEST(LockInput, TakesFromAnywhereWhatBeginsThere) {
  const Lock lock(managed_from_anywhere(LockState::Locked));
  PartialPacket packet = udp("8.8.8.8", 443, "192.168.1.7", 40000);
  EXPECT_FALSE(lock.input_passes(packet));
  packet.connection_mark = kManageEth0;  // Of one that has begun.
  EXPECT_TRUE(lock.input_passes(packet));
  packet.way = ConnWay::Reply;
  EXPECT_FALSE(lock.input_passes(packet));
  PartialPacket ping = udp("8.8.8.8", 0, "192.168.1.7", 0);
  ping.protocol = Protocol::Icmp;
  ping.icmp_type = 0;
  EXPECT_FALSE(lock.input_passes(ping));
  ping.icmp_type = 8;
  EXPECT_TRUE(lock.input_passes(ping));
}

TEST(LockInput, TakesNoTransportWhileItIsLocked) {
  const PartialPacket answer = udp("198.51.100.1", 51820, "192.168.1.7", 51820);
  EXPECT_FALSE(Lock(LockState::Locked).input_passes(answer));
  EXPECT_TRUE(Lock(LockState::Connecting).input_passes(answer));
  EXPECT_FALSE(Lock(LockState::Error).input_passes(answer));
}

// From a container to the internet, say. Routing would tell whoever may be reached directly,
// quoting the packet, that there is no way.
TEST(LockGuard, HearsNobodyWhoForgesAnAddressThatIsReachedDirectly) {
  struct Row {
    const char* in;
    const char* source;
    bool reverse_path;
    bool passes;
  };
  const Row rows[] = {
      {"docker0", "192.168.7.9", false, false}, {"docker0", "fd07::9", false, false},
      {"eth0", "192.168.7.9", false, false},    {"eth0", "fd07::9", false, false},
      {"wg0", "192.168.7.9", false, false},     {"wg0", "fd07::9", false, false},
      {"eth0", "192.168.7.9", true, true},      {"eth0", "fd07::9", true, true},
      {"eth0", "198.51.100.1", false, true},  // Of an endpoint: the way back has the mark.
      {"eth0", "2001:db8:1::1", false, true},   {"wg0", "8.8.8.8", false, true},
      {"eth0", "224.0.0.251", false, true},
  };
  for (LockState state : {LockState::Locked, LockState::Connecting, LockState::Connected}) {
    LockPolicy without_lan = full_policy(state);
    without_lan.lans.clear();
    const Lock locks[] = {Lock(state), Lock(without_lan)};
    for (const Row& row : rows) {
      SCOPED_TRACE(fmt::format("{} by {}, reverse path {}", row.source, row.in, row.reverse_path));
      const char* to = to_address(row.source).is_v4() ? "203.0.113.1" : "2001:db8:203::1";
      PartialPacket packet = udp(row.source, 40000, to, 443);
      packet.in_interface = row.in;
      packet.reverse_path = row.reverse_path;
      for (const Lock& lock : locks) EXPECT_EQ(lock.guard_passes(packet), row.passes);
    }
  }
}

TEST(LockGuard, HearsLanMembersByTheirOwnAddressesOnly) {
  PartialPacket packet = udp("8.8.8.8", 40000, "203.0.113.1", 443);
  packet.in_interface = "eth1";
  packet.reverse_path = false;
  EXPECT_FALSE(Lock(LockState::Error).guard_passes(packet));
  packet.reverse_path = true;
  EXPECT_TRUE(Lock(LockState::Error).guard_passes(packet));
}

TEST(LockTables, AreOneForEachLayer) {
  const auto tables = lock_tables(full_policy(LockState::Locked));
  ASSERT_EQ(tables.size(), 3u);
  EXPECT_EQ(tables[0].name, "ginnel-lock-host");
  EXPECT_EQ(tables[0].comment, "ginnel:lock:host");
  EXPECT_TRUE(tables[0].owned);
  EXPECT_EQ(tables[1].family, nft::Family::Netdev);
  EXPECT_EQ(tables[1].chains.size(), 2u);
  EXPECT_EQ(tables[2].family, nft::Family::Arp);
  EXPECT_TRUE(lock_tables(full_policy(LockState::Off)).empty());
}

TEST(LockTables, DifferInEveryState) {
  std::vector<std::string> texts;
  for (LockState state : kLockStates) {
    std::string text;
    for (const nft::Table& table : lock_tables(full_policy(state))) text += print(table);
    EXPECT_EQ(std::ranges::find(texts, text), texts.end()) << name_of(state);
    texts.push_back(std::move(text));
  }
}

TEST(LockTables, NameTheirChainsAsNftReadsThem) {
  EXPECT_EQ(lock_chain_name({.name = "eth0.7", .number = 1}), "egress-eth0.7");
  EXPECT_EQ(lock_chain_name({.name = "wan:1", .number = 1}), "egress-wan_3A1");
}

}  // namespace
}  // namespace ginnel::hostnet
