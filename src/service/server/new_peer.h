// A peer that somebody wants added, before it has all its keys and addresses.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/config/host_port.h"
#include "core/crypto/keys.h"
#include "net/flow_rule.h"
#include "net/prefix.h"
#include "service/server/views.h"

namespace ginnel::server {

struct NewPeer {
  std::string name;
  std::optional<crypto::PublicKey> public_key;  // Absent: a key pair is made here.
  std::optional<crypto::PresharedKey> preshared_key;
  // With a key pair made here, one is made as well, because the client gets a whole file anyway.
  bool make_preshared_key = true;
  std::vector<net::Address> addresses;   // Empty: the next free ones.
  std::vector<net::Prefix> allowed_ips;  // Networks behind the peer, besides its addresses.
  net::FlowRules rules;
  std::optional<config::HostPort> endpoint;
  std::optional<std::uint16_t> persistent_keepalive_seconds;
};

// What was written on a command line, checked. Errors name the flag.
Result<NewPeer> parse_new_peer(const NewPeerView& view);

// Lists of rules that take the place of a peer's own. Absent: the list stays; empty: it goes.
struct RuleChange {
  std::optional<std::vector<net::FlowRule>> allow{};
  std::optional<std::vector<net::FlowRule>> deny{};
};
// The same, of `peer set`.
Result<RuleChange> parse_rule_change(const RuleChangeView& view);

}  // namespace ginnel::server
