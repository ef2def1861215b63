#include "service/server/peer_edits.h"

#include <fmt/format.h>

#include "core/config/secret_text.h"
#include "http/rfc3339.h"
#include "os/file.h"
#include "service/server/peer_views.h"

namespace ginnel::server {
namespace {

using config::ServerPeer;
using config::TomlDocument;

std::string peer_file(const ServerPaths& paths, std::string_view name) {
  return fmt::format("{}/{}.toml", paths.peers_directory, name);
}

// `wanted` may name an address of one family only: the other family's follows.
Status give_addresses(const config::ServerConfig& config, const std::vector<net::Address>& wanted,
                      ServerPeer& peer) {
  config::AddressPool pool = config::address_pool(config);
  if (wanted.empty()) {
    auto allocated = pool.allocate();
    if (!allocated) return pass(std::move(allocated));
    peer.addresses.push_back(allocated->v4);
    if (allocated->v6) peer.addresses.push_back(*allocated->v6);
    return ok();
  }
  for (const net::Address& address : wanted) {
    if (!config.subnets.contain(address)) {
      return fail(
          ErrorCode::InvalidArgument,
          fmt::format("peer \"{}\": {} is not in {}; write one that is, or leave the address "
                      "out to get a free one",
                      peer.name, address.to_string(), config.subnets.to_string()));
    }
    if (!pool.is_free(address)) {
      return fail(ErrorCode::AlreadyExists,
                  fmt::format("peer \"{}\": {} is taken already; choose another, or leave the "
                              "address out to get a free one",
                              peer.name, address.to_string()));
    }
    peer.addresses.push_back(address);
  }
  return ok();
}

void make_keys(NewPeer& wanted, Rng& rng, ServerPeer& peer) {
  if (wanted.public_key) {
    peer.public_key = *wanted.public_key;
  } else {
    peer.private_key = crypto::PrivateKey::generate(rng);
    peer.public_key = peer.private_key->public_key();
    if (wanted.make_preshared_key && !wanted.preshared_key) {
      wanted.preshared_key = crypto::PresharedKey::generate(rng);
    }
  }
  peer.preshared_key = std::move(wanted.preshared_key);
}

Status set_list(const std::optional<std::vector<net::FlowRule>>& rules, std::string_view key,
                config::TomlPlace place, TomlDocument& document) {
  if (!rules) return ok();
  if (rules->empty()) return document.remove(place, key);
  std::vector<std::string> texts;
  for (const net::FlowRule& rule : *rules) texts.push_back(rule.to_string());
  return document.set(place, key, texts);
}

}  // namespace

Result<FileEdit> PeerEdits::add(NewPeer wanted, Rng& rng, UnixTime now) const {
  if (Status good = config::check_peer_name(wanted.name); !good) return pass(std::move(good));
  if (const ServerPeer* known = config_.find_peer(wanted.name)) {
    return fail(ErrorCode::AlreadyExists,
                fmt::format("{} exists already; choose another name, or remove it first",
                            known->to_string()));
  }
  FileEdit edit;
  edit.path = peer_file(paths_, wanted.name);
  if (os::file_exists(edit.path)) {
    return fail(ErrorCode::AlreadyExists,
                fmt::format("{} exists already; choose another name", edit.path));
  }
  ServerPeer peer;
  peer.name = wanted.name;
  make_keys(wanted, rng, peer);
  if (Status given = give_addresses(config_, wanted.addresses, peer); !given) {
    return pass(std::move(given));
  }
  peer.allowed_ips = std::move(wanted.allowed_ips);
  peer.rules = std::move(wanted.rules);
  peer.endpoint = std::move(wanted.endpoint);
  if (wanted.persistent_keepalive_seconds) {
    peer.persistent_keepalive_seconds = *wanted.persistent_keepalive_seconds;
  }
  peer.created = http::to_rfc3339(now);
  edit.after = config::to_peer_file(peer);
  return edit;
}

Result<FileEdit> PeerEdits::remove(std::string_view name) const {
  const auto peer = find(name);
  if (!peer) return std::unexpected(peer.error());
  if ((*peer)->origin == ServerPeer::Origin::ServerFile) {
    return edit_document(name, [](TomlDocument& document, const ServerPeer& found) {
      return document.remove_table(found.place());
    });
  }
  FileEdit edit;
  edit.path = peer_file(paths_, name);
  auto text = os::read_file(edit.path, config::kMaxTomlBytes);
  if (!text) return pass(std::move(text));
  edit.before = std::move(*text);
  return edit;
}

Result<FileEdit> PeerEdits::set_enabled(std::string_view name, bool enabled) const {
  return edit_document(name, [&](TomlDocument& document, const ServerPeer& found) {
    return document.set(found.place(), "enabled", enabled);
  });
}

Result<FileEdit> PeerEdits::set_rules(std::string_view name, const RuleChange& change) const {
  return edit_document(name, [&](TomlDocument& document, const ServerPeer& found) {
    if (Status set = set_list(change.allow, "allow", found.place(), document); !set) return set;
    return set_list(change.deny, "deny", found.place(), document);
  });
}

Result<FileEdit> PeerEdits::forget_key(std::string_view name) const {
  return edit_document(name, [](TomlDocument& document, const ServerPeer& found) {
    return document.remove(found.place(), "private_key");
  });
}

Result<const ServerPeer*> PeerEdits::find(std::string_view name) const {
  const ServerPeer* peer = config_.find_peer(name);
  if (peer == nullptr) return no_such_peer(name);
  if (peer->origin == ServerPeer::Origin::Flag) {
    return fail(ErrorCode::Conflict,
                fmt::format("{} comes from the server's command line; change it there, or move it "
                            "to a file in {}",
                            peer->to_string(), paths_.peers_directory));
  }
  return peer;
}

Result<FileEdit> PeerEdits::edit_document(
    std::string_view name,
    const std::function<Status(TomlDocument&, const ServerPeer&)>& change) const {
  const auto peer = find(name);
  if (!peer) return std::unexpected(peer.error());
  FileEdit edit;
  edit.path = (*peer)->origin == ServerPeer::Origin::ServerFile ? paths_.config_file
                                                                : peer_file(paths_, name);
  auto text = os::read_file(edit.path, config::kMaxTomlBytes);
  if (!text) return pass(std::move(text));
  edit.before = std::move(*text);
  auto document = TomlDocument::parse(edit.path, *edit.before);
  if (!document) return pass(std::move(document));
  if (Status changed = change(*document, **peer); !changed) return pass(std::move(changed));
  edit.after = document->text();
  return edit;
}

}  // namespace ginnel::server
