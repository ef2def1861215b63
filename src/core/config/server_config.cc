#include "core/config/server_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <unordered_map>

#include "base/check.h"
#include "base/text.h"
#include "core/config/flow_rule_keys.h"
#include "core/config/server_checks.h"
#include "core/config/toml_reader.h"

namespace ginnel::config {
namespace {

constexpr std::string_view kNone = "none";
constexpr std::string_view kDefaultSubnet = "10.200.100.0/24";

// A value, and what an error about it calls the place it was written.
template <class T>
struct Setting {
  T value;
  std::string where;
};

Result<std::string> parse_interface(std::string_view text) {
  const auto is_good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_=+.-").find(c) != std::string_view::npos;
  };
  if (!text.empty() && text.size() <= kMaxInterfaceName && text != "." && text != ".." &&
      std::all_of(text.begin(), text.end(), is_good)) {
    return std::string(text);
  }
  return fail(ErrorCode::InvalidArgument,
              fmt::format("\"{}\" cannot be an interface's name; use 1 to {} letters, digits and "
                          "_=+.-",
                          text.substr(0, 32), kMaxInterfaceName));
}

Result<std::string> parse_path(std::string_view text) {
  if (text.empty() || text.find('\0') != std::string_view::npos) {
    return fail(ErrorCode::InvalidArgument, "is not a path; write one like /etc/ginnel/server.key");
  }
  return std::string(text);
}

Result<std::uint16_t> parse_mtu(std::string_view text) {
  const auto mtu = parse_number<std::uint16_t>(text, kMinMtu, UINT16_MAX);
  if (mtu) return *mtu;
  return fail(ErrorCode::InvalidArgument,
              fmt::format("must be a number from {} to {}", kMinMtu, UINT16_MAX));
}

Result<std::optional<net::Prefix>> parse_subnet6(std::string_view text) {
  if (text == kNone) return std::optional<net::Prefix>();
  auto prefix = net::Prefix::parse(text);
  if (prefix) return std::optional<net::Prefix>(*prefix);
  return fail(ErrorCode::InvalidArgument,
              fmt::format("{}, or \"{}\" to do without IPv6", prefix.error().message, kNone));
}

Result<std::optional<net::Endpoint>> parse_metrics_listen(std::string_view text) {
  if (text == kNone) return std::optional<net::Endpoint>();
  auto endpoint = net::Endpoint::parse(text);
  if (!endpoint || endpoint->port == 0) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("\"{}\" is not an address with a port; write 127.0.0.1:{}, or \"{}\"",
                            text.substr(0, 80), kDefaultMetricsPort, kNone));
  }
  if (!endpoint->address.is_loopback()) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("{} can be reached from outside, and metrics have no password; write "
                            "127.0.0.1:{} and let a proxy with TLS ask there",
                            endpoint->to_string(), endpoint->port));
  }
  return std::optional<net::Endpoint>(*endpoint);
}

constexpr std::string_view kBuiltin = "builtin";

// A resolver's address or a search domain, as the DNS line of a wg-quick file has them, or the
// server's own resolver.
struct BuiltinResolver {};
using DnsEntry = std::variant<net::Address, std::string, BuiltinResolver>;

Result<DnsEntry> parse_dns_entry(std::string_view text) {
  if (text == kBuiltin) return DnsEntry(BuiltinResolver());
  auto address = net::Address::parse(text);
  if (address) return DnsEntry(*address);
  if (is_host_name(text)) return DnsEntry(std::string(text));
  return fail(ErrorCode::InvalidArgument,
              fmt::format("\"{}\" is neither a resolver's address nor a search domain; write "
                          "addresses like 9.9.9.9, or \"{}\"",
                          text.substr(0, 80), kBuiltin));
}

// Reads one setting after the other, each from its flag or else from its key in [server]. A file's
// values are checked even where a flag wins: a mistake in a file does not wait for its turn.
class SettingReader {
 public:
  SettingReader(const TomlDocument& document, const TomlNode& server)
      : document_(document), reader_(document, server, "[server]") {}

  template <class Parse>
  auto read(const std::optional<std::string>& flag, std::string_view flag_name,
            std::string_view key, Parse parse)
      -> std::optional<Setting<typename decltype(parse(std::string_view()))::value_type>> {
    using Value = typename decltype(parse(std::string_view()))::value_type;
    auto from_file = reader_.parsed(key, parse);
    if (flag) {
      auto from_flag = parse(std::string_view(*flag));
      if (from_flag) return Setting<Value>{std::move(*from_flag), std::string(flag_name)};
      reject(flag_name, from_flag.error().message);
      return std::nullopt;
    }
    if (!from_file) return std::nullopt;
    return Setting<Value>{std::move(*from_file), where(key)};
  }

  bool read_bool(const std::optional<bool>& flag, std::string_view key, bool otherwise) {
    const auto from_file = reader_.boolean(key);
    return flag ? *flag : from_file.value_or(otherwise);
  }

  std::vector<DnsEntry> read_dns(const std::vector<std::string>& flags) {
    auto from_file = reader_.parsed_list("dns", &parse_dns_entry);
    if (flags.empty()) return from_file ? std::move(*from_file) : std::vector<DnsEntry>();
    std::vector<DnsEntry> entries;
    for (const std::string& flag : flags) {
      auto entry = parse_dns_entry(flag);
      if (entry) {
        entries.push_back(std::move(*entry));
      } else {
        reject("--dns", entry.error().message);
      }
    }
    return entries;
  }

  // A number in the file, text in a flag.
  std::optional<Setting<std::uint16_t>> read_mtu(const std::optional<std::string>& flag) {
    const auto from_file = reader_.number("mtu", kMinMtu, UINT16_MAX);
    if (flag) {
      const auto mtu = parse_mtu(*flag);
      if (mtu) return Setting<std::uint16_t>{*mtu, "--mtu"};
      reject("--mtu", mtu.error().message);
    } else if (from_file) {
      return Setting<std::uint16_t>{static_cast<std::uint16_t>(*from_file), where("mtu")};
    }
    return std::nullopt;
  }

  net::FlowRules read_rules() { return read_flow_rules(reader_); }
  std::vector<net::FlowRule> read_rules(std::string_view key) {
    return read_rule_list(reader_, key).value_or(std::vector<net::FlowRule>());
  }

  void reject(std::string_view where, std::string_view message) {
    if (!error_) error_ = Error{ErrorCode::InvalidArgument, fmt::format("{}: {}", where, message)};
  }

  // Of a setting that is given, by a flag or in the file.
  void reject_given(bool by_flag, std::string_view flag_name, std::string_view key,
                    std::string_view message) {
    reject(by_flag ? std::string(flag_name) : where(key), message);
  }

  Status finish() {
    if (Status file = reader_.finish(); !file) return file;
    if (error_) return std::unexpected(std::move(*error_));
    return ok();
  }

 private:
  std::string where(std::string_view key) {
    return fmt::format("{}:{}: {}", document_.file(), reader_.find(key)->line, key);
  }

  const TomlDocument& document_;
  TomlReader reader_;
  std::optional<Error> error_;
};

// The server's own address, or none when the first of the subnet will do. With --subnet-mask, or
// where nothing else says, --server-ip names the subnet too.
std::optional<net::Address> read_own_address(SettingReader& reader, const ServerFlags& flags,
                                             bool has_subnet, net::Prefix& subnet) {
  if (!flags.server_ip) {
    if (flags.subnet_mask) {
      reader.reject("--subnet-mask", "goes with --server-ip; or write --subnet PREFIX alone");
    }
    return std::nullopt;
  }
  const auto own = net::Address::parse(*flags.server_ip);
  if (!own || !own->is_v4()) {
    reader.reject("--server-ip", "must be an IPv4 address like 10.200.100.1");
    return std::nullopt;
  }
  const auto bits =
      parse_number<unsigned>(flags.subnet_mask.value_or("24"), kMinSubnetLength, kMaxSubnetLength);
  if (!bits) {
    reader.reject("--subnet-mask", fmt::format("must be a number from {} to {}", kMinSubnetLength,
                                               kMaxSubnetLength));
    return std::nullopt;
  }
  if (flags.subnet_mask && flags.subnet && *bits != subnet.length()) {
    reader.reject("--subnet-mask", "contradicts --subnet; leave one of them out");
  }
  if (!flags.subnet && (flags.subnet_mask || !has_subnet)) {
    subnet = net::Prefix::masking(*own, *bits);
  }
  if (subnet.contains(*own) && *own != subnet.address() && *own != subnet.last()) return *own;
  reader.reject("--server-ip", fmt::format("{} is not an address for a host of the subnet {}; "
                                           "write one that is, like {}",
                                           own->to_string(), subnet.to_string(),
                                           subnet.address().plus(1).to_string()));
  return std::nullopt;
}

void read_subnets(SettingReader& reader, const ServerInputs& inputs, ServerConfig& config) {
  Subnets& subnets = config.subnets;
  const auto v4 = reader.read(inputs.flags.subnet, "--subnet", "subnet", &net::Prefix::parse);
  subnets.v4 = v4 ? v4->value : net::Prefix::parse(kDefaultSubnet).value();
  const auto own = read_own_address(reader, inputs.flags, v4.has_value(), subnets.v4);
  const auto v6 = reader.read(inputs.flags.subnet6, "--subnet6", "subnet6", &parse_subnet6);
  subnets.v6 = v6 ? v6->value : inputs.generated_subnet6;
  if (Status good = check_subnet(subnets.v4); !good) {
    return reader.reject(v4 ? v4->where : "--server-ip", good.error().message);
  }
  if (subnets.v6) {
    if (Status good = check_subnet6(subnets.v4, *subnets.v6); !good) {
      return reader.reject(v6 ? v6->where : "subnet6", good.error().message);
    }
  }
  config.own = host_addresses(subnets, own ? *host_number(subnets.v4, *own) : 1);
}

void read_dns(SettingReader& reader, const ServerFlags& flags, ServerConfig& config) {
  for (DnsEntry& entry : reader.read_dns(flags.dns)) {
    if (const auto* address = std::get_if<net::Address>(&entry)) {
      config.dns.push_back(*address);
    } else if (auto* domain = std::get_if<std::string>(&entry)) {
      config.dns_search.push_back(std::move(*domain));
    } else {
      config.dns_builtin = true;
    }
  }
  if (!config.dns_builtin || config.dns.empty()) return;
  // A client asks whichever it likes, so what the server's own resolver promises would not hold.
  reader.reject_given(!flags.dns.empty(), "--dns", "dns",
                      fmt::format("\"{}\" and other resolvers exclude each other; leave {} out",
                                  kBuiltin, config.dns.front().to_string()));
}

void read_settings(SettingReader& reader, const ServerInputs& inputs, ServerConfig& config) {
  const ServerFlags& flags = inputs.flags;
  const auto value_of = [](auto setting) {
    return setting ? std::optional(std::move(setting->value)) : std::nullopt;
  };
  config.private_key_file = value_of(
      reader.read(flags.private_key_file, "--private-key-file", "private_key_file", &parse_path));
  config.listen =
      value_of(reader.read(flags.listen, "--listen", "listen_addr", &ListenAddress::parse))
          .value_or(ListenAddress());
  config.interface =
      value_of(reader.read(flags.interface, "--interface", "interface", &parse_interface));
  config.outbound_interface = value_of(reader.read(flags.outbound_interface, "--outbound-interface",
                                                   "outbound_interface", &parse_interface));
  config.endpoint =
      value_of(reader.read(flags.endpoint, "--endpoint", "endpoint", &HostPort::parse));
  config.client_to_client = reader.read_bool(flags.client_to_client, "client_to_client", false);
  config.open_firewall = reader.read_bool(flags.open_firewall, "open_firewall", false);
  const auto metrics = reader.read(flags.metrics_listen, "--metrics-listen", "metrics_listen",
                                   &parse_metrics_listen);
  config.metrics_listen =
      metrics ? metrics->value
              : net::Endpoint{net::Address::v4({127, 0, 0, 1}), kDefaultMetricsPort, 0};
  config.rules = reader.read_rules();
  config.admit = reader.read_rules("admit");
  read_dns(reader, flags, config);
}

void read_mtu(SettingReader& reader, const ServerFlags& flags, ServerConfig& config) {
  const auto mtu = reader.read_mtu(flags.mtu);
  if (!mtu) return;
  config.mtu = mtu->value;
  if (config.subnets.v6 && config.mtu < kMinMtu6) {
    reader.reject(mtu->where, fmt::format("{} is too small for IPv6; write {} or more, or subnet6 "
                                          "= \"{}\" to do without IPv6",
                                          config.mtu, kMinMtu6, kNone));
  }
}

// --private-key is refused without repeating it.
void read_key_flag(SettingReader& reader, const ServerFlags& flags, ServerConfig& config) {
  if (!flags.private_key) return;
  auto key = crypto::PrivateKey::parse(*flags.private_key);
  if (!key) return reader.reject("--private-key", key.error().message);
  if (flags.private_key_file) {
    return reader.reject("--private-key", "cannot go with --private-key-file; keep the file");
  }
  config.private_key = std::move(*key);
  config.private_key_file.reset();
}

Result<ServerPeer> parse_peer_flag(std::string_view text) {
  const std::size_t comma = text.find(',');
  auto key = crypto::PublicKey::parse(text.substr(0, comma));
  if (!key) return pass(std::move(key));
  ServerPeer peer;
  peer.origin = ServerPeer::Origin::Flag;
  peer.source = "--peer";
  peer.name = default_peer_name(*key);
  peer.public_key = *key;
  if (comma == std::string_view::npos) return peer;
  for (const std::string_view item : split(text.substr(comma + 1), ',')) {
    auto prefix = net::Prefix::parse(item);
    if (!prefix) return pass(std::move(prefix));
    peer.allowed_ips.push_back(*prefix);
  }
  return peer;
}

Result<std::vector<ServerPeer>> read_peer_flags(const ServerFlags& flags) {
  std::vector<ServerPeer> peers;
  std::size_t next_ip = 0;
  for (const std::string& flag : flags.peers) {
    auto peer = parse_peer_flag(flag);
    if (!peer) {
      // By its number: the text may be a private key, pasted wrongly.
      return fail(peer.error().code,
                  fmt::format("--peer: number {}: {}", peers.size() + 1, peer.error().message));
    }
    if (peer->allowed_ips.empty()) {
      if (next_ip == flags.peer_ips.size()) {
        return fail(ErrorCode::InvalidArgument,
                    fmt::format("--peer: number {} has no address; add --peer-ip ADDRESS, or write "
                                "--peer KEY,ADDRESS",
                                peers.size() + 1));
      }
      auto prefix = net::Prefix::parse(flags.peer_ips[next_ip++]);
      if (!prefix) {
        return fail(prefix.error().code, fmt::format("--peer-ip: {}", prefix.error().message));
      }
      peer->allowed_ips.push_back(*prefix);
    }
    peers.push_back(std::move(*peer));
  }
  if (next_ip != flags.peer_ips.size()) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("--peer-ip {}: there is no --peer for it; add --peer KEY",
                            flags.peer_ips[next_ip]));
  }
  return peers;
}

// A flag for a peer that a file describes too replaces where it may be, and nothing else of it.
void merge_peer_flags(std::vector<ServerPeer> flags, std::vector<ServerPeer>& peers) {
  std::unordered_map<crypto::PublicKey, std::size_t> by_key;
  for (std::size_t i = 0; i < peers.size(); ++i) by_key.emplace(peers[i].public_key, i);
  for (ServerPeer& flag : flags) {
    const auto known = by_key.find(flag.public_key);
    if (known == by_key.end()) {
      peers.push_back(std::move(flag));
      continue;
    }
    ServerPeer& moved = peers[known->second];
    moved.addresses.clear();
    moved.allowed_ips = std::move(flag.allowed_ips);
    moved.lines.addresses = moved.lines.allowed_ips = 0;
  }
}

Status check_root(const TomlDocument& document) {
  TomlReader reader(document, document.root(), "");
  reader.find("peer");
  const TomlNode* server = reader.find("server");
  if (server && server->kind != TomlNode::Kind::Table) {
    reader.reject("server", server->line, "must be a table; write [server] above its keys");
  }
  return reader.finish();
}

Result<std::vector<ServerPeer>> gather_peers(ServerInputs inputs, const TomlDocument& document) {
  auto peers = read_peer_tables(document);
  if (!peers) return peers;
  for (ServerPeer& peer : inputs.peers) peers->push_back(std::move(peer));
  auto flags = read_peer_flags(inputs.flags);
  if (!flags) return flags;
  merge_peer_flags(std::move(*flags), *peers);
  std::sort(peers->begin(), peers->end(), [](const ServerPeer& a, const ServerPeer& b) {
    return std::tie(a.name, a.source) < std::tie(b.name, b.source);
  });
  return peers;
}

}  // namespace

Result<ListenAddress> ListenAddress::parse(std::string_view text) {
  if (const auto port = parse_number<std::uint16_t>(text, 1, UINT16_MAX)) {
    return ListenAddress{std::nullopt, *port};
  }
  if (text.starts_with(':')) {
    if (const auto port = parse_number<std::uint16_t>(text.substr(1), 1, UINT16_MAX)) {
      return ListenAddress{std::nullopt, *port};
    }
  }
  const auto host = HostPort::parse(text);
  const auto address = host ? host->address() : std::nullopt;
  if (!address) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("\"{}\" is not an address to listen on; write 0.0.0.0:{} for all of "
                            "them, or one like 192.0.2.1:{}",
                            text.substr(0, 80), kDefaultListenPort, kDefaultListenPort));
  }
  ListenAddress listen;
  listen.port = host->port.value_or(kDefaultListenPort);
  if (!address->is_unspecified()) listen.address = *address;
  return listen;
}

const ServerPeer* ServerConfig::find_peer(std::string_view name) const {
  const auto at = std::lower_bound(
      peers.begin(), peers.end(), name,
      [](const ServerPeer& peer, std::string_view wanted) { return peer.name < wanted; });
  return at != peers.end() && at->name == name ? &*at : nullptr;
}

Result<ServerConfig> make_server_config(ServerInputs inputs) {
  auto empty = TomlDocument::parse("server.toml", "");
  if (!empty) return pass(std::move(empty));
  const TomlDocument& document = inputs.file ? *inputs.file : *empty;
  if (Status root = check_root(document); !root) return pass(std::move(root));
  const TomlMember* server = document.root().find("server");

  ServerConfig config;
  SettingReader reader(document, server ? server->value : empty->root());
  read_settings(reader, inputs, config);
  read_key_flag(reader, inputs.flags, config);
  read_subnets(reader, inputs, config);
  read_mtu(reader, inputs.flags, config);
  if (Status read = reader.finish(); !read) return pass(std::move(read));

  auto peers = gather_peers(std::move(inputs), document);
  if (!peers) return pass(std::move(peers));
  config.peers = std::move(*peers);
  if (Status good = complete_peers(config.subnets, config.own, config.peers); !good) {
    return pass(std::move(good));
  }
  return config;
}

Status check_own_key(const ServerConfig& config, const crypto::PublicKey& own) {
  for (const ServerPeer& peer : config.peers) {
    if (peer.public_key != own) continue;
    return fail(ErrorCode::InvalidArgument,
                fmt::format("{}: its public key is the server's own; write the client's",
                            peer.to_string()));
  }
  return ok();
}

AddressPool address_pool(const ServerConfig& config) {
  AddressPool pool(config.subnets);
  pool.claim(net::Prefix::host(config.own.v4));
  if (config.own.v6) pool.claim(net::Prefix::host(*config.own.v6));
  for (const ServerPeer& peer : config.peers) {
    for (const net::Prefix& prefix : peer.allowed_ips) pool.claim(prefix);
  }
  return pool;
}

}  // namespace ginnel::config
