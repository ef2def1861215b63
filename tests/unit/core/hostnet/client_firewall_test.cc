#include "core/hostnet/client_firewall.h"

#include <gtest/gtest.h>

#include <random>

#include "core/hostnet/nft_lower.h"
#include "core/hostnet/nft_print.h"
#include "core/hostnet/nft_verdict.h"
#include "core/hostnet/server_network.h"

namespace ginnel::hostnet {
namespace {

using net::FlowProtocol;
using net::FlowRule;
using net::FlowRules;
using nft::ConnWay;
using nft::Protocol;

net::Address address(std::string_view text) { return net::Address::parse(text).value(); }
net::Prefix prefix(std::string_view text) { return net::Prefix::parse(text).value(); }
std::vector<FlowRule> rules(std::initializer_list<std::string_view> texts) {
  std::vector<FlowRule> list;
  for (const std::string_view text : texts) list.push_back(FlowRule::parse(text).value());
  return list;
}

ServerNetwork server(ClientFirewall firewall) {
  return {.interface = "wg0",
          .subnet4 = prefix("10.200.100.0/24"),
          .subnet6 = prefix("fd00:200::/64"),
          .uplink4 = "eth0",
          .uplink6 = "eth0",
          .listen_port = 51820,
          .client_to_client = true,
          .firewall = std::move(firewall)};
}

// A connection from a client, and where it leads.
struct Flow {
  net::Address from{};
  net::Address to{};
  Protocol protocol = Protocol::Tcp;
  std::uint16_t port = 0;
};

// What the documentation says, word by word.
bool matches(const FlowRule& rule, const Flow& flow) {
  const auto prefixes = rule.prefixes();
  const bool there = prefixes.empty() || std::ranges::any_of(prefixes, [&](const net::Prefix& p) {
                       return p.contains(flow.to);
                     });
  if (!there) return false;
  switch (rule.protocol) {
    case FlowProtocol::Any:
      return true;
    case FlowProtocol::Icmp:
      return flow.protocol == (flow.to.is_v4() ? Protocol::Icmp : Protocol::Icmp6);
    case FlowProtocol::Tcp:
      if (flow.protocol != Protocol::Tcp) return false;
      break;
    case FlowProtocol::Udp:
      if (flow.protocol != Protocol::Udp) return false;
      break;
  }
  return rule.ports.empty() || std::ranges::any_of(rule.ports, [&](const net::PortRange& range) {
           return flow.port >= range.first && flow.port <= range.last;
         });
}
bool permits(const FlowRules& list, const Flow& flow) {
  const auto holds = [&](const FlowRule& rule) { return matches(rule, flow); };
  if (std::ranges::any_of(list.deny, holds)) return false;
  return !list.allow || std::ranges::any_of(*list.allow, holds);
}
bool permits(const ClientFirewall& firewall, const Flow& flow) {
  if (!permits(firewall.everyone, flow)) return false;
  return std::ranges::all_of(firewall.clients, [&](const ClientRules& client) {
    const bool is_it = std::ranges::any_of(
        client.sources, [&](const net::Prefix& p) { return p.contains(flow.from); });
    return !is_it || permits(client.rules, flow);
  });
}

nft::PartialPacket packet_of(const Flow& flow, ConnWay way) {
  nft::PartialPacket packet{.family = flow.from.family(),
                            .in_interface = "wg0",
                            .out_interface = "eth0",
                            .source = flow.from,
                            .destination = flow.to,
                            .protocol = flow.protocol,
                            .way = way,
                            .state = nft::kNew};
  if (flow.port != 0) packet.source_port = 40000;
  if (flow.port != 0) packet.destination_port = flow.port;
  if (way == ConnWay::Original) return packet;
  packet.state = nft::kEstablished;
  std::swap(packet.in_interface, packet.out_interface);
  std::swap(packet.source, packet.destination);
  std::swap(packet.source_port, packet.destination_port);
  return packet;
}

class Firewall {
 public:
  explicit Firewall(const ClientFirewall& firewall)
      : table_(nft::as_listed(server_table(server(firewall))).value()) {}

  bool passes(const Flow& flow, ConnWay way = ConnWay::Original) const {
    return passes(packet_of(flow, way), "forwarded");
  }
  bool passes(const nft::PartialPacket& packet, std::string_view chain) const {
    const nft::Judgement judgement = judge(table_, *table_.find_chain(chain), packet);
    EXPECT_TRUE(judgement.certain);
    return !judgement.dropped;
  }

 private:
  nft::ListedTable table_;
};

Flow tcp(std::string_view from, std::string_view to, std::uint16_t port) {
  return {.from = address(from), .to = address(to), .protocol = Protocol::Tcp, .port = port};
}

TEST(ClientFirewall, IsNotThereWithoutRules) {
  const nft::Table table = server_table(server({}));
  EXPECT_EQ(nft::print(table).find(kClientChain), std::string::npos);
  EXPECT_TRUE(table.maps.empty());
}

TEST(ClientFirewall, AListOfWhatIsAllowedDeniesTheRest) {
  const Firewall firewall(
      {.clients = {{.sources = {prefix("10.200.100.2/32")},
                    .rules = {.allow = rules({"192.168.7.0/24 tcp 22,80-90", "any icmp"})}}}});
  EXPECT_TRUE(firewall.passes(tcp("10.200.100.2", "192.168.7.9", 22)));
  EXPECT_TRUE(firewall.passes(tcp("10.200.100.2", "192.168.7.9", 90)));
  EXPECT_FALSE(firewall.passes(tcp("10.200.100.2", "192.168.7.9", 91)));
  EXPECT_FALSE(firewall.passes(tcp("10.200.100.2", "192.168.8.9", 22)));
  // Others have no list.
  EXPECT_TRUE(firewall.passes(tcp("10.200.100.3", "192.168.8.9", 22)));
}

TEST(ClientFirewall, WhatIsDeniedIsDeniedThoughItIsAllowedToo) {
  const Firewall firewall({.everyone = {.deny = rules({"private"})},
                           .clients = {{.sources = {prefix("10.200.100.2/32")},
                                        .rules = {.allow = rules({"192.168.7.0/24", "any tcp"}),
                                                  .deny = rules({"203.0.113.0/24 tcp 25"})}}}});
  EXPECT_FALSE(firewall.passes(tcp("10.200.100.2", "192.168.7.9", 22)));
  EXPECT_FALSE(firewall.passes(tcp("10.200.100.2", "203.0.113.1", 25)));
  EXPECT_TRUE(firewall.passes(tcp("10.200.100.2", "203.0.113.1", 443)));
  EXPECT_FALSE(firewall.passes(tcp("10.200.100.3", "10.1.1.1", 22)));
}

TEST(ClientFirewall, HoldsForWhatIsToldToTheHostItself) {
  const Firewall firewall({.everyone = {.deny = rules({"any tcp 22"})},
                           .clients = {},
                           .dns = {address("10.200.100.1")}});
  nft::PartialPacket packet = packet_of(tcp("10.200.100.2", "10.200.100.1", 22), ConnWay::Original);
  packet.out_interface = "";
  EXPECT_FALSE(firewall.passes(packet, "listen"));
  packet.destination_port = 80;
  EXPECT_TRUE(firewall.passes(packet, "listen"));
}

// The host's own connections to clients, and clients' answers to them, are nobody's to restrict.
TEST(ClientFirewall, IsNotAboutWhatOthersOpenToAClient) {
  const Firewall firewall({.everyone = {.deny = rules({"any"})}});
  nft::PartialPacket answer = packet_of(tcp("10.200.100.1", "10.200.100.2", 22), ConnWay::Reply);
  answer.in_interface = "wg0";
  answer.out_interface = "";
  EXPECT_TRUE(firewall.passes(answer, "listen"));
  nft::PartialPacket question =
      packet_of(tcp("10.200.100.1", "10.200.100.2", 22), ConnWay::Original);
  question.in_interface = "";
  question.out_interface = "wg0";
  EXPECT_TRUE(firewall.passes(question, "served"));
}

TEST(ClientFirewall, EndsWhatTheHostStillAnswers) {
  nft::PartialPacket answer = packet_of(tcp("10.200.100.2", "10.200.100.1", 22), ConnWay::Reply);
  answer.in_interface = "";
  answer.out_interface = "wg0";
  EXPECT_FALSE(Firewall({.everyone = {.deny = rules({"any tcp 22"})}}).passes(answer, "served"));
  EXPECT_TRUE(Firewall({.everyone = {.deny = rules({"any tcp 23"})}}).passes(answer, "served"));
}

TEST(ClientFirewall, LeavesTheServersOwnDnsOpen) {
  const Firewall firewall(
      {.everyone = {.allow = rules({"203.0.113.0/24"})}, .dns = {address("10.200.100.1")}});
  EXPECT_TRUE(firewall.passes(tcp("10.200.100.2", "10.200.100.1", 53)));
  EXPECT_FALSE(firewall.passes(tcp("10.200.100.2", "10.200.100.1", 80)));
  EXPECT_FALSE(firewall.passes(tcp("10.200.100.2", "9.9.9.9", 53)));
}

TEST(ClientFirewall, DropsWhatBelongsToNoConnection) {
  const Firewall firewall({.everyone = {.deny = rules({"any udp 9"})}});
  nft::PartialPacket packet = packet_of(tcp("10.200.100.2", "203.0.113.1", 443), ConnWay::Original);
  packet.out_interface = "";
  for (const nft::ConnState state : {nft::kInvalid, nft::kUntracked}) {
    packet.state = state;
    EXPECT_FALSE(firewall.passes(packet, "listen"));
  }
}

TEST(ClientFirewall, ClientsWithTheSameRulesShareAChain) {
  ClientFirewall firewall;
  for (int i = 2; i < 202; ++i) {
    firewall.clients.push_back({.sources = {prefix(fmt::format("10.200.100.{}/32", i))},
                                .rules = {.deny = rules({i % 2 == 0 ? "any udp" : "any tcp"})}});
  }
  const nft::Table table = server_table(server(firewall));
  ASSERT_EQ(table.maps.size(), 1u);
  EXPECT_EQ(table.maps[0].jumps.size(), 200u);
  const auto own = std::ranges::count_if(
      table.chains, [](const nft::Chain& chain) { return chain.name.starts_with("clients_"); });
  EXPECT_EQ(own, 2);
  EXPECT_TRUE(nft::check_names(table));
}

class Admission {
 public:
  explicit Admission(std::initializer_list<std::string_view> texts) {
    ServerNetwork network = server({});
    network.admitted = rules(texts);
    table_ = nft::as_listed(server_table(network)).value();
  }
  bool lets_in(const Flow& flow) const {
    nft::PartialPacket packet = packet_of(flow, ConnWay::Original);
    std::swap(packet.in_interface, packet.out_interface);
    return passes(packet, "guard") && passes(packet, "forwarded");
  }
  bool lets_out(const Flow& answered) const {
    nft::PartialPacket packet = packet_of(answered, ConnWay::Reply);
    std::swap(packet.in_interface, packet.out_interface);
    return passes(packet, "guard") && passes(packet, "forwarded");
  }
  bool reaches_host(const Flow& flow) const {
    nft::PartialPacket packet = packet_of(flow, ConnWay::Original);
    packet.in_interface = "eth0";
    packet.out_interface = "";
    return passes(packet, "guard") && passes(packet, "listen");
  }

 private:
  bool passes(const nft::PartialPacket& packet, std::string_view chain) const {
    const nft::Judgement judgement = judge(table_, *table_.find_chain(chain), packet);
    EXPECT_TRUE(judgement.certain) << chain;
    return !judgement.dropped;
  }

  nft::ListedTable table_;
};

TEST(Admission, IsNobodysWithoutRules) {
  const Admission nobody({});
  EXPECT_FALSE(nobody.lets_in(tcp("192.168.7.9", "10.200.100.2", 22)));
  EXPECT_FALSE(nobody.reaches_host(tcp("192.168.7.9", "10.200.100.1", 22)));
}

TEST(Admission, IsByWhereItComesFromAndWhatItLeadsTo) {
  const Admission admission({"192.168.7.0/24 tcp 22,80-90", "fd77::1"});
  EXPECT_TRUE(admission.lets_in(tcp("192.168.7.9", "10.200.100.2", 22)));
  EXPECT_TRUE(admission.lets_out(tcp("192.168.7.9", "10.200.100.2", 22)));
  EXPECT_FALSE(admission.lets_in(tcp("192.168.7.9", "10.200.100.2", 23)));
  EXPECT_FALSE(admission.lets_in(tcp("192.168.8.9", "10.200.100.2", 22)));
  EXPECT_TRUE(admission.lets_in(tcp("fd77::1", "fd00:200::2", 9)));
  EXPECT_FALSE(admission.lets_in(tcp("fd77::2", "fd00:200::2", 9)));
  // The server's own address in the tunnel, likewise.
  EXPECT_TRUE(admission.reaches_host(tcp("192.168.7.9", "10.200.100.1", 22)));
  EXPECT_FALSE(admission.reaches_host(tcp("192.168.7.9", "10.200.100.1", 23)));
  EXPECT_FALSE(admission.reaches_host(tcp("192.168.8.9", "10.200.100.1", 22)));
  // Not what is told to it elsewhere.
  EXPECT_TRUE(admission.reaches_host(tcp("192.168.8.9", "192.168.8.1", 22)));
}

TEST(Admission, OfAnywhereStillForgesNobody) {
  const Admission admission({"any tcp 443"});
  EXPECT_TRUE(admission.lets_in(tcp("203.0.113.1", "10.200.100.2", 443)));
  EXPECT_FALSE(admission.lets_in(tcp("203.0.113.1", "10.200.100.2", 80)));
  EXPECT_FALSE(admission.lets_in(tcp("10.200.100.3", "10.200.100.2", 443)));
}

// Few enough places, ports and clients for rules and packets to meet often.
class RandomFirewall {
 public:
  explicit RandomFirewall(std::uint64_t seed) : random_(seed) {}

  ClientFirewall firewall() {
    ClientFirewall made{.everyone = flow_rules()};
    for (const char* source : {"10.200.100.2/32", "10.200.100.3/32", "10.200.100.64/27",
                               "fd00:200::2/128", "fd00:200:0:1::/64"}) {
      if (below(3) != 0)
        made.clients.push_back({.sources = {prefix(source)}, .rules = flow_rules()});
    }
    std::erase_if(made.clients, [](const ClientRules& c) { return c.rules.is_empty(); });
    return made;
  }
  Flow flow() {
    static constexpr std::string_view kFrom4[] = {"10.200.100.2", "10.200.100.3", "10.200.100.65",
                                                  "10.200.100.9"};
    static constexpr std::string_view kFrom6[] = {"fd00:200::2", "fd00:200:0:1::7", "fd00:200::9"};
    static constexpr std::string_view kTo4[] = {"192.168.7.9", "192.168.8.1", "9.9.9.9",
                                                "10.200.100.1"};
    static constexpr std::string_view kTo6[] = {"fd77::1", "2001:db8::1", "2001:db8:1::1"};
    const bool v4 = below(2) == 0;
    Flow made{.from = address(v4 ? pick(kFrom4) : pick(kFrom6)),
              .to = address(v4 ? pick(kTo4) : pick(kTo6))};
    const Protocol protocols[] = {Protocol::Tcp, Protocol::Udp,
                                  v4 ? Protocol::Icmp : Protocol::Icmp6};
    made.protocol = pick(protocols);
    if (made.protocol == Protocol::Tcp || made.protocol == Protocol::Udp) {
      made.port = static_cast<std::uint16_t>(20 + below(6));
    }
    return made;
  }

 private:
  std::size_t below(std::size_t limit) { return random_() % limit; }
  template <class T, std::size_t kSize>
  T pick(const T (&from)[kSize]) {
    return from[below(kSize)];
  }
  std::vector<FlowRule> list(std::size_t longest) {
    static constexpr std::string_view kTargets[] = {
        "any",       "private",       "192.168.7.0/24", "192.168.8.1", "9.0.0.0/8",
        "fd77::/64", "2001:db8::/32", "2001:db8::1",    "0.0.0.0/0",   "::/0"};
    static constexpr std::string_view kKinds[] = {
        "", " tcp", " udp", " icmp", " tcp 22", " tcp 20-22,24", " udp 21,23-25"};
    std::vector<FlowRule> made(below(longest + 1));
    for (FlowRule& rule : made) {
      rule = FlowRule::parse(fmt::format("{}{}", pick(kTargets), pick(kKinds))).value();
    }
    return made;
  }
  FlowRules flow_rules() {
    FlowRules made{.deny = list(2)};
    if (below(2) == 0) made.allow = list(4);
    return made;
  }

  std::mt19937_64 random_;
};

TEST(ClientFirewall, AgreesWithItsDescriptionForRandomRulesAndConnections) {
  int passed = 0, refused = 0;
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    RandomFirewall random(seed);
    const ClientFirewall wanted = random.firewall();
    const Firewall firewall(wanted);
    for (int i = 0; i < 60; ++i) {
      const Flow flow = random.flow();
      const bool is_permitted = permits(wanted, flow);
      ++(is_permitted ? passed : refused);
      ASSERT_EQ(firewall.passes(flow), is_permitted)
          << "seed " << seed << ": " << flow.from.to_string() << " to " << flow.to.to_string()
          << " port " << flow.port << "\n"
          << nft::print(server_table(server(wanted)));
      // What was permitted once and is not any more is cut in the other direction too.
      ASSERT_EQ(firewall.passes(flow, ConnWay::Reply), is_permitted) << "seed " << seed;
    }
  }
  EXPECT_GT(passed, 1000);
  EXPECT_GT(refused, 1000);
}

}  // namespace
}  // namespace ginnel::hostnet
