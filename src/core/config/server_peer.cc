#include "core/config/server_peer.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/config/flow_rule_keys.h"
#include "core/config/secret_text.h"
#include "core/config/toml_reader.h"

namespace ginnel::config {
namespace {

Result<HostPort> parse_peer_endpoint(std::string_view text) {
  auto endpoint = HostPort::parse(text);
  if (endpoint && !endpoint->port) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("\"{}\" has no port; write {}", text.substr(0, 80),
                            endpoint->to_string(51820)));
  }
  return endpoint;
}

// A TOML date without quotes, or text.
std::string read_created(TomlReader& reader) {
  static constexpr std::string_view kLetters = "0123456789TtZz:+-. ";
  const TomlNode* node = reader.find("created");
  if (!node) return "";
  const bool is_time = node->kind == TomlNode::Kind::Time || node->kind == TomlNode::Kind::Text;
  if (!is_time || node->text.size() > 40 ||
      node->text.find_first_not_of(kLetters) != std::string::npos) {
    reader.reject("created", node->line, "must be a time like 2026-11-21T08:00:00Z");
  }
  return node->text;
}

void read_keys(TomlReader& reader, ServerPeer& peer) {
  const TomlNode* written = reader.find("public_key");
  const auto public_key = reader.parsed("public_key", &crypto::PublicKey::parse);
  peer.private_key = reader.parsed("private_key", &crypto::PrivateKey::parse);
  peer.preshared_key = reader.parsed("preshared_key", &crypto::PresharedKey::parse);
  if (!written) {
    reader.reject("public_key", reader.line(), "is missing; add public_key = \"...\"");
  }
  if (!public_key) return;
  peer.public_key = *public_key;
  if (public_key->is_zero()) {
    reader.reject("public_key", written->line,
                  "is all zeros, which is nobody's key; write the peer's own");
  }
  if (peer.private_key && peer.private_key->public_key() != peer.public_key) {
    reader.reject("private_key", reader.find("private_key")->line,
                  "does not belong to public_key; take it out, or write the key that does");
  }
}

// Without the line of its table.
std::string_view file_of(const ServerPeer& peer) {
  const std::string_view source = peer.source;
  return peer.origin == ServerPeer::Origin::ServerFile ? source.substr(0, source.rfind(':'))
                                                       : source;
}

Result<ServerPeer> read_peer(TomlReader& reader, ServerPeer peer) {
  const auto line_of = [&](std::string_view key) {
    const TomlNode* node = reader.find(key);
    return node ? node->line : 0;
  };
  read_keys(reader, peer);
  peer.lines = {.public_key = line_of("public_key"),
                .addresses = line_of("addresses"),
                .allowed_ips = line_of("allowed_ips")};
  if (auto addresses = reader.parsed_list("addresses", &net::Address::parse)) {
    peer.addresses = std::move(*addresses);
  }
  if (auto allowed_ips = reader.parsed_list("allowed_ips", &net::Prefix::parse)) {
    peer.allowed_ips = std::move(*allowed_ips);
  }
  peer.endpoint = reader.parsed("endpoint", &parse_peer_endpoint);
  peer.persistent_keepalive_seconds = static_cast<std::uint16_t>(
      reader.number("persistent_keepalive", 0, UINT16_MAX).value_or(kDefaultKeepaliveSeconds));
  peer.rules = read_flow_rules(reader);
  peer.enabled = reader.boolean("enabled").value_or(true);
  peer.created = read_created(reader);
  if (peer.addresses.empty() && peer.allowed_ips.empty()) {
    reader.reject("addresses", reader.line(),
                  "is missing; add addresses = [\"...\"] with the client's address in the tunnel");
  }
  if (Status read = reader.finish(); !read) return pass(std::move(read));
  return peer;
}

}  // namespace

std::string ServerPeer::to_string(std::uint32_t line) const {
  const std::string place = line == 0 ? source : fmt::format("{}:{}", file_of(*this), line);
  return fmt::format("peer \"{}\" ({})", name, place);
}

std::string ServerPeer::place_of(std::string_view key, std::uint32_t line) const {
  return line == 0 ? to_string() : fmt::format("{}:{}: {}", file_of(*this), line, key);
}

Status check_peer_name(std::string_view name) {
  const bool is_good = !name.empty() && name.size() <= kMaxPeerName && name.front() != '.' &&
                       std::all_of(name.begin(), name.end(), [](char c) {
                         return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                                (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
                       });
  if (is_good) return ok();
  return fail(ErrorCode::InvalidArgument,
              fmt::format("\"{}\" cannot be a peer's name: use 1 to {} letters, digits, '_', '-' "
                          "and '.', not starting with '.'",
                          name.substr(0, kMaxPeerName + 1), kMaxPeerName));
}

std::string default_peer_name(const crypto::PublicKey& key) {
  std::string name = "peer-" + key.to_base64().substr(0, 8);
  std::replace(name.begin(), name.end(), '+', '-');
  std::replace(name.begin(), name.end(), '/', '_');
  return name;
}

Result<ServerPeer> parse_peer_file(std::string_view path, std::string text) {
  static constexpr std::string_view kSuffix = ".toml";
  std::string_view name = path.substr(path.rfind('/') + 1);
  if (!name.ends_with(kSuffix)) {
    erase_text(text);
    return fail(ErrorCode::InvalidArgument,
                fmt::format("{}: is not named NAME{}; rename it", path, kSuffix));
  }
  name.remove_suffix(kSuffix.size());
  ServerPeer peer;
  peer.name = name;
  peer.source = path;
  if (Status good = check_peer_name(name); !good) {
    erase_text(text);
    return fail(good.error().code, fmt::format("{}: {}", path, good.error().message));
  }
  auto document = TomlDocument::parse(std::string(path), std::move(text));
  if (!document) return pass(std::move(document));
  TomlReader reader(*document, document->root(), "");
  return read_peer(reader, std::move(peer));
}

std::string to_peer_file(const ServerPeer& peer) {
  TomlEntries entries;
  const auto add = [&](const char* key, TomlValue value) {
    entries.emplace_back(key, std::move(value));
  };
  const auto texts = [](const auto& values) {
    std::vector<std::string> list;
    for (const auto& value : values) list.push_back(value.to_string());
    return list;
  };
  add("public_key", peer.public_key.to_base64());
  if (peer.private_key) add("private_key", peer.private_key->expose_as_base64());
  if (peer.preshared_key) add("preshared_key", peer.preshared_key->expose_as_base64());
  if (!peer.addresses.empty()) add("addresses", texts(peer.addresses));
  if (!peer.allowed_ips.empty()) add("allowed_ips", texts(peer.allowed_ips));
  if (peer.endpoint) add("endpoint", peer.endpoint->to_string(0));
  if (peer.persistent_keepalive_seconds != kDefaultKeepaliveSeconds) {
    add("persistent_keepalive", std::int64_t{peer.persistent_keepalive_seconds});
  }
  if (peer.rules.allow) add("allow", texts(*peer.rules.allow));
  if (!peer.rules.deny.empty()) add("deny", texts(peer.rules.deny));
  add("enabled", peer.enabled);
  if (!peer.created.empty()) add("created", peer.created);
  std::string text = to_toml(entries);
  for (auto& [key, value] : entries) {
    if (auto* secret = std::get_if<std::string>(&value)) erase_text(*secret);
  }
  return text;
}

Result<std::vector<ServerPeer>> read_peer_tables(const TomlDocument& document) {
  std::vector<ServerPeer> peers;
  const TomlMember* member = document.root().find("peer");
  if (!member) return peers;
  const auto wrong = [&](std::uint32_t line) {
    return std::unexpected(
        toml_error(document, line, "peer", "must be tables; write [[peer]] above each one's keys"));
  };
  if (member->value.kind != TomlNode::Kind::Array) return wrong(member->line);
  for (const TomlNode& table : member->value.items) {
    if (table.kind != TomlNode::Kind::Table) return wrong(table.line);
    ServerPeer peer;
    peer.origin = ServerPeer::Origin::ServerFile;
    peer.index = peers.size();
    peer.source = fmt::format("{}:{}", document.file(), table.line);
    TomlReader reader(document, table, "[[peer]]");
    const auto name = reader.parsed("name", [](std::string_view text) -> Result<std::string> {
      if (Status good = check_peer_name(text); !good) return pass(std::move(good));
      return std::string(text);
    });
    auto read = read_peer(reader, std::move(peer));
    if (!read) return pass(std::move(read));
    read->name = name ? *name : default_peer_name(read->public_key);
    peers.push_back(std::move(*read));
  }
  return peers;
}

}  // namespace ginnel::config
