#include "core/hostnet/firewall.h"

#include <fmt/format.h>

#include "base/text.h"
#include "core/hostnet/nft_lower.h"
#include "core/hostnet/nft_print.h"
#include "core/hostnet/nft_verdict.h"

namespace ginnel::hostnet {
namespace {

using nft::Hook;
using nft::ListedChain;
using nft::ListedTable;

constexpr std::uint16_t kDnsPort = 53;
constexpr std::string_view kDockerChain = "DOCKER-USER";  // Which docker leaves to its users.

// Who runs a table, and so which command its people expect.
enum class FirewallTool : std::uint8_t { Nft, Iptables, Ufw, Firewalld };

bool is_iptables_name(std::string_view name) {
  constexpr std::string_view kNames[] = {"filter", "nat", "mangle", "raw", "security"};
  return std::ranges::find(kNames, name) != std::end(kNames);
}

// iptables-nft writes tables of these names, with chains named after the hooks in capitals.
bool is_of_iptables(const ListedTable& table) {
  if (table.family != nft::Family::Ip && table.family != nft::Family::Ip6) return false;
  if (!is_iptables_name(table.name)) return false;
  return std::ranges::any_of(table.chains, [](const ListedChain& chain) {
    return chain.base && (chain.name == "INPUT" || chain.name == "FORWARD" ||
                          chain.name == "OUTPUT" || chain.name == "PREROUTING");
  });
}

FirewallTool tool_of(const ListedTable& table) {
  if (table.name == "firewalld") return FirewallTool::Firewalld;
  if (!is_of_iptables(table)) return FirewallTool::Nft;
  const bool ufw = std::ranges::any_of(
      table.chains, [](const ListedChain& chain) { return chain.name.starts_with("ufw"); });
  return ufw ? FirewallTool::Ufw : FirewallTool::Iptables;
}

bool covers(nft::Family table, net::Family packet) {
  if (table == nft::Family::Inet) return true;
  return table == (packet == net::Family::V4 ? nft::Family::Ip : nft::Family::Ip6);
}

std::vector<Hook> hooks_of(Flow flow) {
  switch (flow) {
    case Flow::Listen:
    case Flow::Ask:
    case Flow::AskByTcp:
      return {Hook::Prerouting, Hook::Input};
    case Flow::Answer:
    case Flow::Call:
      return {Hook::Output, Hook::Postrouting};
    default:
      return {Hook::Prerouting, Hook::Forward, Hook::Postrouting};
  }
}

nft::Protocol protocol_of(Flow flow) {
  return flow == Flow::AskByTcp ? nft::Protocol::Tcp : nft::Protocol::Udp;
}

std::string_view name_of(nft::Protocol protocol) {
  return protocol == nft::Protocol::Tcp ? "tcp" : "udp";
}

class Inquiry {
 public:
  Inquiry(const nft::Ruleset& ruleset, const TunnelTraffic& traffic)
      : ruleset_(ruleset), traffic_(traffic) {}

  std::vector<FirewallBlock> run() {
    for (net::Family family : {net::Family::V4, net::Family::V6}) {
      const bool v4 = family == net::Family::V4;
      if (v4 ? traffic_.listen4 : traffic_.listen6) {
        if (traffic_.listen_port != 0) ask(Flow::Listen, family);
        if (traffic_.listen_port != 0) ask(Flow::Answer, family);
        if (traffic_.call_port != 0) ask(Flow::Call, family);
      }
      if (traffic_.answers_names) {
        ask(Flow::Ask, family);
        ask(Flow::AskByTcp, family);
      }
      if (!(v4 ? traffic_.forward4 : traffic_.forward6)) continue;
      ask(Flow::Outward, family);
      ask(Flow::Inward, family);
      if (traffic_.client_to_client) ask(Flow::Between, family);
    }
    return std::move(blocks_);
  }

 private:
  void ask(Flow flow, net::Family family);
  void ask_chain(Flow flow, net::Family family, const ListedTable& table, const ListedChain& chain);
  nft::PartialPacket packet_of(Flow flow, net::Family family, Hook hook) const;
  void set_interfaces(nft::PartialPacket& packet, std::string in, std::string out, Hook hook) const;
  nft::Rule opening(Flow flow, const ListedTable& table) const;
  const std::string& clients_interface() const {
    return traffic_.clients.empty() ? traffic_.owner.interface : traffic_.clients;
  }
  std::string place_for(const ListedTable& table, const ListedChain& chain, const nft::Rule& rule,
                        const nft::PartialPacket& packet) const;
  std::string command_for(const FirewallBlock& block, const ListedTable& table) const;
  std::string iptables_command(const FirewallBlock& block) const;

  const nft::Ruleset& ruleset_;
  const TunnelTraffic& traffic_;
  std::vector<FirewallBlock> blocks_;
};

void Inquiry::set_interfaces(nft::PartialPacket& packet, std::string in, std::string out,
                             Hook hook) const {
  const auto index_of = [&](const std::string& name) -> std::optional<std::uint32_t> {
    for (const auto& [known, index] : traffic_.interface_indexes) {
      if (known == name) return index;
    }
    return std::nullopt;
  };
  // A hook sees no more than the packet's way so far.
  const bool has_in = hook == Hook::Prerouting || hook == Hook::Input || hook == Hook::Forward;
  const bool has_out = hook == Hook::Forward || hook == Hook::Output || hook == Hook::Postrouting;
  if (!has_in) packet.in_interface = "";
  if (!has_out) packet.out_interface = "";
  if (has_in && !in.empty()) {
    packet.in_index = index_of(in);
    packet.in_interface = std::move(in);
  }
  if (has_out && !out.empty()) {
    packet.out_index = index_of(out);
    packet.out_interface = std::move(out);
  }
}

nft::PartialPacket Inquiry::packet_of(Flow flow, net::Family family, Hook hook) const {
  const std::string& uplink = family == net::Family::V4 ? traffic_.uplink4 : traffic_.uplink6;
  const std::string& clients = clients_interface();
  nft::PartialPacket packet{.family = family};
  switch (flow) {
    case Flow::Listen:
      packet.protocol = nft::Protocol::Udp;
      packet.destination_port = traffic_.listen_port;
      packet.destination_type = nft::AddressType::Local;
      packet.state = nft::kUntracked;
      set_interfaces(packet, uplink, "", hook);
      break;
    case Flow::Answer:
      packet.protocol = nft::Protocol::Udp;
      packet.source_port = traffic_.listen_port;
      packet.state = nft::kUntracked;
      set_interfaces(packet, "", uplink, hook);
      break;
    case Flow::Call:
      packet.protocol = nft::Protocol::Udp;
      packet.destination_port = traffic_.call_port;
      break;
    case Flow::Outward:
      set_interfaces(packet, clients, uplink, hook);
      break;
    case Flow::Inward:
      packet.state = nft::kEstablished;
      set_interfaces(packet, uplink, clients, hook);
      break;
    case Flow::Between:
      set_interfaces(packet, clients, clients, hook);
      break;
    case Flow::Ask:
    case Flow::AskByTcp:
      packet.protocol = protocol_of(flow);
      packet.destination_port = kDnsPort;
      packet.destination_type = nft::AddressType::Local;
      set_interfaces(packet, clients, "", hook);
      break;
  }
  return packet;
}

void Inquiry::ask(Flow flow, net::Family family) {
  const std::vector<Hook> hooks = hooks_of(flow);
  for (const ListedTable& table : ruleset_.tables) {
    const bool is_own = Owner::from_mark(table.comment) == traffic_.owner;
    if (is_own || table.dormant || !covers(table.family, family)) continue;
    for (const ListedChain& chain : table.chains) {
      // Chains of type nat see the first packet of a flow only, and do not filter.
      if (!chain.base || chain.base->type == nft::ChainType::Nat) continue;
      if (std::ranges::find(hooks, chain.base->hook) == hooks.end()) continue;
      ask_chain(flow, family, table, chain);
    }
  }
}

// The rule that lets the flow through. In a table of iptables it is made of what iptables itself
// writes: one expression that it does not know, and every iptables command on the host fails. New
// connections into the tunnel are dropped by our own table in any case.
nft::Rule Inquiry::opening(Flow flow, const ListedTable& table) const {
  const std::string& clients = clients_interface();
  const nft::PortRange port = nft::PortRange::one(traffic_.listen_port);
  nft::Rule rule{.comment = traffic_.owner.mark()};
  switch (flow) {
    case Flow::Listen:
      rule.terms = {nft::PortIn{.ports = {port}}};
      break;
    case Flow::Answer:
      rule.terms = {nft::PortIn{.side = nft::Side::Source, .ports = {port}}};
      break;
    case Flow::Call:
      rule.terms = {nft::PortIn{.ports = {nft::PortRange::one(traffic_.call_port)}}};
      break;
    case Flow::Outward:
    case Flow::Between:
      rule.terms = {nft::InterfaceIs{.direction = nft::Direction::In, .names = {clients}}};
      break;
    case Flow::Inward:
      rule.terms = {nft::InterfaceIs{.direction = nft::Direction::Out, .names = {clients}}};
      if (!is_of_iptables(table)) {
        rule.terms.push_back(nft::ConnStateIn{nft::kEstablished | nft::kRelated});
      }
      break;
    case Flow::Ask:
    case Flow::AskByTcp:
      rule.terms = {
          nft::InterfaceIs{.direction = nft::Direction::In, .names = {clients}},
          nft::PortIn{.protocol = protocol_of(flow), .ports = {nft::PortRange::one(kDnsPort)}}};
      break;
  }
  rule.terms.push_back(nft::Counter{});
  rule.terms.push_back(nft::Accept{});
  return rule;
}

// Docker puts its own rules at the head of FORWARD again and again, but leaves a chain to others.
std::string Inquiry::place_for(const ListedTable& table, const ListedChain& chain,
                               const nft::Rule& rule, const nft::PartialPacket& packet) const {
  if (!table.find_chain(kDockerChain) || chain.base->hook != Hook::Forward) return chain.name;
  std::uint32_t next_set_id = 1;
  auto program = nft::lower(table.family, rule, next_set_id);
  if (!program) return chain.name;
  ListedTable opened = table;
  for (ListedChain& candidate : opened.chains) {
    if (candidate.name != kDockerChain) continue;
    candidate.rules.insert(candidate.rules.begin(),
                           {.expressions = std::move(program->expressions)});
  }
  const bool helps = !judge(opened, *opened.find_chain(chain.name), packet).dropped;
  return helps ? std::string(kDockerChain) : chain.name;
}

void Inquiry::ask_chain(Flow flow, net::Family family, const ListedTable& table,
                        const ListedChain& chain) {
  const nft::PartialPacket packet = packet_of(flow, family, chain.base->hook);
  const nft::Judgement judgement = judge(table, chain, packet);
  if (!judgement.dropped) return;
  FirewallBlock block{.flow = flow,
                      .families = {family},
                      .certain = judgement.certain,
                      .insertable = !table.owned,
                      .table_family = table.family,
                      .table = table.name,
                      .rule = opening(flow, table)};
  block.chain = place_for(table, chain, block.rule, packet);
  const std::string where =
      fmt::format("chain {} of table {} {}", judgement.chain, name_of(table.family), table.name);
  block.reason = judgement.rule_handle ? fmt::format("a rule in {} {} it", where,
                                                     judgement.rejected ? "rejects" : "drops")
                                       : fmt::format("{} drops it by its policy", where);
  block.command = command_for(block, table);
  for (FirewallBlock& known : blocks_) {
    const bool same = known.flow == flow && known.table_family == table.family &&
                      known.table == table.name && known.chain == block.chain;
    if (!same) continue;
    known.certain |= block.certain;
    if (std::ranges::find(known.families, family) == known.families.end()) {
      known.families.push_back(family);
    }
    return;
  }
  blocks_.push_back(std::move(block));
}

std::string Inquiry::iptables_command(const FirewallBlock& block) const {
  const std::string_view program =
      block.table_family == nft::Family::Ip6 ? "ip6tables" : "iptables";
  const std::string table =
      block.table == "filter" ? std::string() : fmt::format(" -t {}", block.table);
  std::string match;
  switch (block.flow) {
    case Flow::Listen:
      match = fmt::format("-p udp --dport {}", traffic_.listen_port);
      break;
    case Flow::Answer:
      match = fmt::format("-p udp --sport {}", traffic_.listen_port);
      break;
    case Flow::Call:
      match = fmt::format("-p udp --dport {}", traffic_.call_port);
      break;
    case Flow::Outward:
    case Flow::Between:
      match = fmt::format("-i {}", clients_interface());
      break;
    case Flow::Inward:
      match = fmt::format("-o {} -m conntrack --ctstate ESTABLISHED,RELATED", clients_interface());
      break;
    case Flow::Ask:
    case Flow::AskByTcp:
      match = fmt::format("-i {} -p {} --dport {}", clients_interface(),
                          name_of(protocol_of(block.flow)), kDnsPort);
      break;
  }
  return fmt::format("{}{} -I {} {} -j ACCEPT", program, table, block.chain, match);
}

std::string Inquiry::command_for(const FirewallBlock& block, const ListedTable& table) const {
  const std::string& clients = clients_interface();
  const FirewallTool tool = tool_of(table);
  if (tool == FirewallTool::Ufw) {
    switch (block.flow) {
      case Flow::Listen:
        return fmt::format("ufw allow {}/udp", traffic_.listen_port);
      case Flow::Answer:
        return fmt::format("ufw allow out proto udp from any port {}", traffic_.listen_port);
      case Flow::Call:
        return fmt::format("ufw allow out {}/udp", traffic_.call_port);
      case Flow::Outward:
      case Flow::Between:
        return fmt::format("ufw route allow in on {}", clients);
      case Flow::Inward:
        return fmt::format("ufw route allow out on {}", clients);
      case Flow::Ask:
      case Flow::AskByTcp:
        return fmt::format("ufw allow in on {} to any port {} proto {}", clients, kDnsPort,
                           name_of(protocol_of(block.flow)));
    }
  }
  if (tool == FirewallTool::Firewalld && block.flow == Flow::Listen) {
    return fmt::format("firewall-cmd --add-port={}/udp", traffic_.listen_port);
  }
  if (tool == FirewallTool::Firewalld && block.flow != Flow::Answer && block.flow != Flow::Call) {
    return fmt::format("firewall-cmd --zone=trusted --add-interface={}", clients);
  }
  if (tool == FirewallTool::Iptables) return iptables_command(block);
  nft::Rule rule = block.rule;
  rule.comment.clear();
  return fmt::format("nft 'insert rule {} {} {} {}'", name_of(block.table_family), block.table,
                     block.chain, nft::print(rule));
}

bool has_filter(std::string_view names) {
  for (std::string_view line : split(names, '\n')) {
    if (trim(line) == "filter") return true;
  }
  return false;
}

}  // namespace

std::string_view name_of(Flow flow) {
  switch (flow) {
    case Flow::Listen:
      return "datagrams to the tunnel's port";
    case Flow::Answer:
      return "datagrams from the tunnel's port";
    case Flow::Call:
      return "datagrams to the tunnel's peer";
    case Flow::Outward:
      return "traffic from the clients to the internet";
    case Flow::Inward:
      return "answers from the internet to the clients";
    case Flow::Between:
      return "traffic between clients";
    case Flow::Ask:
      return "the clients' questions to the resolver";
    case Flow::AskByTcp:
      return "the clients' questions to the resolver by TCP";
  }
  std::unreachable();
}

std::vector<FirewallBlock> find_blocks(const nft::Ruleset& ruleset, const TunnelTraffic& traffic) {
  return Inquiry(ruleset, traffic).run();
}

std::optional<std::string> unseen_firewall(std::string_view names4, std::string_view names6) {
  const bool v4 = has_filter(names4);
  const bool v6 = has_filter(names6);
  if (!v4 && !v6) return std::nullopt;
  const std::string_view programs = v4 && v6 ? "iptables-legacy -S and ip6tables-legacy -S"
                                    : v4     ? "iptables-legacy -S"
                                             : "ip6tables-legacy -S";
  return fmt::format(
      "iptables-legacy has a filter table, whose rules cannot be seen from here; see {} for what "
      "it "
      "drops",
      programs);
}

}  // namespace ginnel::hostnet
