#include "core/gateway/gateway_config.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "core/gateway/failover.h"
#include "core/hostnet/host_state.h"
#include "core/hostnet/lock_policy.h"
#include "core/hostnet/quick_network.h"

namespace ginnel::gateway {
namespace {

constexpr std::size_t kMaxInterfaceName = 15;   // IFNAMSIZ, less the terminating zero.
constexpr std::uint32_t kLastPriority = 32765;  // The kernel's rule for the main table is next.
constexpr std::uint32_t kMaxConfirmSeconds = 3600;
constexpr std::uint32_t kMaxAskAfterSeconds = 86400;

std::unexpected<Error> wrong(std::string message) {
  return fail(ErrorCode::InvalidArgument, std::move(message));
}

// Decimal, or with 0x in front.
std::optional<std::uint32_t> number(std::string_view text) {
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    base = 16;
    text.remove_prefix(2);
  }
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Without a mask, the default one where the value fits it.
Result<TransportMark> read_mark(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto value = number(text.substr(0, slash));
  std::optional<std::uint32_t> mask = TransportMark().mask;
  if (slash != std::string_view::npos) {
    mask = number(text.substr(slash + 1));
  } else if (value && (*value & ~*mask) != 0) {
    mask = UINT32_MAX;
  }
  if (!value || !mask) {
    return wrong(fmt::format("--fwmark: \"{}\" is no mark; write one like 0x8888/0xffff", text));
  }
  if (*value == 0 || (*value & ~*mask) != 0) {
    return wrong(
        fmt::format("--fwmark: \"{}\" marks nothing; the mark must not be 0 and must lie "
                    "within its mask, as in 0x8888/0xffff",
                    text));
  }
  return TransportMark{.value = *value, .mask = *mask};
}

Result<RulePriorities> read_priorities(std::string_view text) {
  const auto words = split(text, ',');
  std::vector<std::uint32_t> values;
  for (std::string_view word : words) {
    if (const auto value = parse_number<std::uint32_t>(trim(word), 1, kLastPriority)) {
      values.push_back(*value);
    }
  }
  if (words.size() != 3 || values.size() != 3 || values[0] >= values[1] || values[1] >= values[2]) {
    return wrong(
        fmt::format("--rule-priorities: \"{}\": write three numbers from 1 to {} in rising "
                    "order, as in 5,10,11",
                    text, kLastPriority));
  }
  return RulePriorities{.local = values[0], .tunnel = values[1], .refuse = values[2]};
}

Result<std::uint32_t> read_table(std::string_view text) {
  const auto table = number(text);
  const bool is_kernels = table && *table >= 253 && *table <= hostnet::kLocalTable;
  if (table && *table != 0 && !is_kernels) return *table;
  return wrong(
      fmt::format("--table: \"{}\" is no table for a gateway to have to itself; write a "
                  "number such as 1000, but not 253 to 255",
                  text));
}

bool is_interface_name(std::string_view name) {
  if (name.empty() || name.size() > kMaxInterfaceName || name == "." || name == "..") return false;
  return std::ranges::all_of(name,
                             [](char c) { return c > ' ' && c <= '~' && c != '/' && c != ':'; });
}

Status read_lan(const GatewayFlags& flags, GatewayConfig& config) {
  if (flags.lan.empty()) {
    return wrong("--lan is missing: name the interface behind which the LAN is, as in --lan eth1");
  }
  if (flags.lan.size() > kMaxLanInterfaces) {
    return wrong(fmt::format("--lan: {} interfaces are more than {}; join them in a bridge",
                             flags.lan.size(), kMaxLanInterfaces));
  }
  const auto names = config.tunnel_names();
  for (const std::string& name : flags.lan) {
    if (!is_interface_name(name) || name == "lo") {
      return wrong(
          fmt::format("--lan: \"{}\" is no interface of a LAN; \"ip link\" lists those "
                      "there are",
                      name));
    }
    if (std::ranges::find(names, name) != names.end()) {
      return wrong(
          fmt::format("--lan: {} is a tunnel; name the interface behind which the LAN is", name));
    }
    if (std::ranges::find(config.lan, name) == config.lan.end()) config.lan.push_back(name);
  }
  return ok();
}

Result<std::vector<net::Prefix>> read_prefixes(std::string_view flag,
                                               const std::vector<std::string>& texts) {
  if (texts.size() > kMaxFlagPrefixes) {
    return wrong(fmt::format("{}: {} prefixes are more than {}; write wider ones", flag,
                             texts.size(), kMaxFlagPrefixes));
  }
  std::vector<net::Prefix> prefixes;
  for (const std::string& text : texts) {
    const auto prefix = net::Prefix::parse(text);
    if (!prefix) return wrong(fmt::format("{}: {}", flag, prefix.error().message));
    if (std::ranges::find(prefixes, *prefix) == prefixes.end()) prefixes.push_back(*prefix);
  }
  return prefixes;
}

Status refuse_wide(std::string_view flag, const std::vector<net::Prefix>& prefixes) {
  const auto wide = std::ranges::find_if(prefixes, hostnet::is_wide);
  if (wide == prefixes.end()) return ok();
  return wrong(
      fmt::format("{}: {} is too wide: what it holds would go around the tunnel; name "
                  "the networks themselves",
                  flag, wide->to_string()));
}

Status read_dhcp_servers(const GatewayFlags& flags, GatewayConfig& config) {
  if (flags.dhcp_servers.size() > kMaxDhcpServers) {
    return wrong(fmt::format("--dhcp-server: {} servers are more than {}; leave some out",
                             flags.dhcp_servers.size(), kMaxDhcpServers));
  }
  for (const std::string& text : flags.dhcp_servers) {
    const auto address = net::Address::parse(text);
    if (!address || address->is_unspecified() || address->is_multicast()) {
      return wrong(fmt::format(
          "--dhcp-server: \"{}\" is no address of a server; write one like 192.0.2.1", text));
    }
    config.dhcp_servers.push_back(*address);
  }
  return ok();
}

Result<std::vector<net::Address>> read_servers(const std::vector<std::string>& texts) {
  std::vector<net::Address> servers;
  for (const std::string& text : texts) {
    const auto address = net::Address::parse(text);
    if (!address || address->is_unspecified() || address->is_multicast()) {
      return wrong(fmt::format(
          "--dns: \"{}\" is no address of a DNS server; write one like 10.2.0.1", text));
    }
    servers.push_back(*address);
  }
  return servers;
}

Status read_times(const GatewayFlags& flags, GatewayConfig& config) {
  if (flags.confirm) {
    config.confirm_seconds = parse_number<std::uint32_t>(*flags.confirm, 0, kMaxConfirmSeconds);
    if (!config.confirm_seconds) {
      return wrong(fmt::format("--confirm: \"{}\" is no number of seconds from 0 to {}",
                               *flags.confirm, kMaxConfirmSeconds));
    }
  }
  if (!flags.ask_after) return ok();
  const auto after = parse_number<std::uint32_t>(*flags.ask_after, 0, kMaxAskAfterSeconds);
  if (!after) {
    return wrong(fmt::format("--ask-after: \"{}\" is no number of seconds from 0 to {}",
                             *flags.ask_after, kMaxAskAfterSeconds));
  }
  config.ask_after_seconds = *after;
  return ok();
}

Status read_flags(const GatewayFlags& flags, GatewayConfig& config) {
  config.kill_switch = flags.kill_switch;
  config.resolver = flags.resolver;
  if (flags.fwmark) {
    const auto mark = read_mark(*flags.fwmark);
    if (!mark) return std::unexpected(mark.error());
    config.mark = *mark;
  }
  if (flags.table) {
    const auto table = read_table(*flags.table);
    if (!table) return std::unexpected(table.error());
    config.table = *table;
  }
  if (flags.priorities) {
    const auto priorities = read_priorities(*flags.priorities);
    if (!priorities) return std::unexpected(priorities.error());
    config.priorities = *priorities;
  }
  if (Status read = read_times(flags, config); !read) return read;
  if (flags.metrics_listen && *flags.metrics_listen != "none") {
    const auto metrics = net::Endpoint::parse(*flags.metrics_listen);
    if (!metrics || metrics->port == 0) {
      return wrong(
          fmt::format("--metrics-listen: \"{}\" is no address with a port; write one like "
                      "127.0.0.1:9586, or none",
                      *flags.metrics_listen));
    }
    if (!metrics->address.is_loopback()) {
      return wrong(fmt::format(
          "--metrics-listen: {} can be reached by others, and metrics have no password; "
          "write 127.0.0.1:{} and let a proxy with TLS ask there",
          metrics->to_string(), metrics->port));
    }
    config.metrics = *metrics;
  }
  if (Status read = read_dhcp_servers(flags, config); !read) return read;
  auto local = read_prefixes("--local", flags.local);
  if (!local) return pass(std::move(local));
  if (Status narrow = refuse_wide("--local", *local); !narrow) return narrow;
  config.local = std::move(*local);
  auto manage = read_prefixes("--manage", flags.manage);
  if (!manage) return pass(std::move(manage));
  config.manage = std::move(*manage);
  return read_lan(flags, config);
}

// What a gateway does itself, or not at all.
void warn_of_ignored(const GatewayTunnel& tunnel, std::vector<std::string>& warnings) {
  const config::QuickHooks& hooks = tunnel.file.hooks;
  const std::pair<std::string_view, const std::vector<config::QuickHook>*> kinds[] = {
      {"PreUp", &hooks.pre_up},
      {"PostUp", &hooks.post_up},
      {"PreDown", &hooks.pre_down},
      {"PostDown", &hooks.post_down}};
  for (const auto& [key, list] : kinds) {
    if (list->empty()) continue;
    warnings.push_back(
        fmt::format("{}:{}: {}: a gateway runs no commands", tunnel.path, list->front().line, key));
  }
  if (tunnel.file.table != "auto") {
    warnings.push_back(fmt::format("{}:{}: Table: a gateway has its own; --table chooses it",
                                   tunnel.path, tunnel.file.table_line));
  }
  if (tunnel.file.fwmark) {
    warnings.push_back(
        fmt::format("{}: FwMark: a gateway has its own; --fwmark chooses it", tunnel.path));
  }
  if (tunnel.file.save_config) {
    warnings.push_back(fmt::format("{}: SaveConfig: a gateway writes no files", tunnel.path));
  }
}

Status check_peer(const GatewayTunnel& tunnel) {
  const config::QuickFile& file = tunnel.file;
  if (file.peers.empty()) {
    return wrong(
        fmt::format("{}: [Peer] is missing: a tunnel needs the other end's PublicKey, "
                    "Endpoint and AllowedIPs",
                    tunnel.path));
  }
  if (file.peers.size() > 1) {
    return wrong(
        fmt::format("{}:{}: [Peer]: a gateway's tunnel has one peer; write the others into "
                    "files of their own and name those too",
                    tunnel.path, file.peers[1].line));
  }
  if (!tunnel.peer().endpoint) {
    return wrong(
        fmt::format("{}:{}: Endpoint is missing: a gateway calls its peer, as in "
                    "Endpoint = 192.0.2.1:51820",
                    tunnel.path, tunnel.peer().line));
  }
  return ok();
}

bool has_address(const config::QuickFile& file, net::Family family) {
  return std::ranges::any_of(file.addresses, [&](const net::InterfaceAddress& own) {
    return own.address.family() == family;
  });
}

Status find_families(GatewayTunnel& tunnel, bool block_ipv6) {
  std::vector<net::Prefix> allowed;
  for (const wg::AllowedIpChange& change : tunnel.peer().allowed_ips) {
    if (!change.remove) allowed.push_back(change.prefix);
  }
  const auto carries = [&](net::Family family) {
    return has_address(tunnel.file, family) && hostnet::takes_everything(allowed, family);
  };
  tunnel.ipv4 = carries(net::Family::V4);
  tunnel.ipv6 = !block_ipv6 && carries(net::Family::V6);
  if (tunnel.ipv4 || tunnel.ipv6) return ok();
  return wrong(
      fmt::format("{}:{}: AllowedIPs: a gateway sends everything into its tunnel; write "
                  "AllowedIPs = 0.0.0.0/0, ::/0, with an Address of the same family",
                  tunnel.path, tunnel.peer().line));
}

Result<GatewayTunnel> read_tunnel(GatewayFile source, const GatewayFlags& flags) {
  GatewayTunnel tunnel{.interface = std::move(source.interface),
                       .path = std::move(source.path),
                       .file = std::move(source.file),
                       .dns = {}};
  if (!tunnel.file.private_key || tunnel.file.private_key->is_zero()) {
    return wrong(
        fmt::format("{}: [Interface] has no PrivateKey; \"ginnel genkey\" makes one, or "
                    "ask the provider for its file",
                    tunnel.path));
  }
  if (tunnel.file.addresses.empty()) {
    return wrong(
        fmt::format("{}: [Interface] has no Address; write the one that the other end "
                    "gave you, as in Address = 10.2.0.2/32",
                    tunnel.path));
  }
  if (Status good = check_peer(tunnel); !good) return pass(std::move(good));
  if (Status good = find_families(tunnel, flags.block_ipv6); !good) return pass(std::move(good));
  const auto servers = read_servers(flags.dns);
  if (!servers) return std::unexpected(servers.error());
  tunnel.dns = *servers;
  if (tunnel.dns.empty()) {
    for (const std::string& text : tunnel.file.dns_servers) {
      if (const auto address = net::Address::parse(text)) tunnel.dns.push_back(*address);
    }
  }
  std::erase_if(tunnel.dns,
                [&](const net::Address& server) { return !tunnel.carries(server.family()); });
  return tunnel;
}

// Each tunnel stands beside the others.
Status check_apart(const GatewayTunnel& one, const GatewayTunnel& other) {
  if (one.interface == other.interface) {
    return wrong(fmt::format("{} and {} both name the interface {}; give one file another name",
                             one.path, other.path, one.interface));
  }
  const bool same_port = one.file.listen_port && one.file.listen_port == other.file.listen_port &&
                         *one.file.listen_port != "0";
  if (same_port) {
    return wrong(fmt::format("{}:{}: ListenPort: {} has {} as well; leave the line out", other.path,
                             other.file.listen_port_line, one.path, *one.file.listen_port));
  }
  return ok();
}

}  // namespace

std::vector<std::string> GatewayConfig::tunnel_names() const {
  std::vector<std::string> names;
  for (const GatewayTunnel& tunnel : tunnels) names.push_back(tunnel.interface);
  return names;
}

Result<GatewayConfig> make_gateway_config(std::vector<GatewayFile> files,
                                          const GatewayFlags& flags) {
  if (files.empty()) {
    return wrong("no file was named; give the provider's, as in \"ginnel gateway provider.conf\"");
  }
  if (files.size() > Failover::kMaxTunnels) {
    return wrong(fmt::format("{} files are more than the {} tunnels that a gateway can have",
                             files.size(), Failover::kMaxTunnels));
  }
  GatewayConfig config;
  for (GatewayFile& file : files) {
    auto tunnel = read_tunnel(std::move(file), flags);
    if (!tunnel) return pass(std::move(tunnel));
    for (const GatewayTunnel& other : config.tunnels) {
      if (Status good = check_apart(other, *tunnel); !good) return pass(std::move(good));
    }
    warn_of_ignored(*tunnel, config.warnings);
    if (tunnel->dns.empty()) {
      config.warnings.push_back(fmt::format(
          "{}: it names no DNS server inside the tunnel, so no name can be looked up through it; "
          "add a DNS line, or --dns",
          tunnel->path));
    }
    config.tunnels.push_back(std::move(*tunnel));
  }
  if (Status read = read_flags(flags, config); !read) return pass(std::move(read));
  return config;
}

}  // namespace ginnel::gateway
