#include "service/server/new_peer.h"

#include <fmt/format.h>

#include "base/text.h"
#include "core/config/server_config.h"

namespace ginnel::server {
namespace {

template <class T, class Parse>
Status parse_each(std::string_view what, const std::optional<std::vector<std::string>>& texts,
                  Parse parse, std::vector<T>& out) {
  if (!texts) return ok();
  for (const std::string& text : *texts) {
    auto value = parse(text);
    if (!value) {
      return fail(value.error().code, fmt::format("{}: {}", what, value.error().message));
    }
    out.push_back(*value);
  }
  return ok();
}

Status parse_rules(std::string_view flag, const std::optional<std::vector<std::string>>& texts,
                   std::vector<net::FlowRule>& rules) {
  if (Status parsed = parse_each(flag, texts, &net::FlowRule::parse, rules); !parsed) return parsed;
  if (rules.size() <= net::FlowRules::kMaxRules) return ok();
  return fail(ErrorCode::Exhausted, fmt::format("{}: over {} rules; use larger prefixes", flag,
                                                net::FlowRules::kMaxRules));
}

Status parse_keys(const NewPeerView& view, NewPeer& peer) {
  if (view.public_key) {
    auto key = crypto::PublicKey::parse(*view.public_key);
    if (!key) return fail(key.error().code, fmt::format("--public-key: {}", key.error().message));
    peer.public_key = *key;
  }
  if (view.preshared_key) {
    auto key = crypto::PresharedKey::parse(*view.preshared_key);
    if (!key) {
      return fail(key.error().code, fmt::format("--preshared-key: {}", key.error().message));
    }
    peer.preshared_key = std::move(*key);
  }
  peer.make_preshared_key = view.make_preshared_key.value_or(true);
  return ok();
}

Status parse_endpoint(const NewPeerView& view, NewPeer& peer) {
  if (!view.endpoint) return ok();
  auto endpoint = config::HostPort::parse(*view.endpoint);
  if (endpoint && !endpoint->port) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("--endpoint: \"{}\" has no port; write {}", *view.endpoint,
                            endpoint->to_string(config::kDefaultListenPort)));
  }
  if (!endpoint) {
    return fail(endpoint.error().code, fmt::format("--endpoint: {}", endpoint.error().message));
  }
  peer.endpoint = std::move(*endpoint);
  return ok();
}

}  // namespace

Result<NewPeer> parse_new_peer(const NewPeerView& view) {
  NewPeer peer;
  peer.name = view.name;
  if (Status keys = parse_keys(view, peer); !keys) return pass(std::move(keys));
  if (Status parsed = parse_each("--address", view.addresses, &net::Address::parse, peer.addresses);
      !parsed) {
    return pass(std::move(parsed));
  }
  if (Status parsed =
          parse_each("--allowed-ips", view.allowed_ips, &net::Prefix::parse, peer.allowed_ips);
      !parsed) {
    return pass(std::move(parsed));
  }
  if (view.allow) peer.rules.allow.emplace();
  if (view.allow) {
    Status parsed = parse_rules("--allow", view.allow, *peer.rules.allow);
    if (!parsed) return pass(std::move(parsed));
  }
  if (Status parsed = parse_rules("--deny", view.deny, peer.rules.deny); !parsed) {
    return pass(std::move(parsed));
  }
  if (Status parsed = parse_endpoint(view, peer); !parsed) return pass(std::move(parsed));
  if (view.persistent_keepalive) {
    const bool is_off = *view.persistent_keepalive == "off";
    const auto seconds = is_off ? std::optional<std::uint16_t>(0)
                                : parse_number<std::uint16_t>(*view.persistent_keepalive, 0, 65535);
    if (!seconds) {
      return fail(ErrorCode::InvalidArgument,
                  "--persistent-keepalive: write seconds from 1 to 65535, or off");
    }
    peer.persistent_keepalive_seconds = seconds;
  }
  return peer;
}

Result<RuleChange> parse_rule_change(const RuleChangeView& view) {
  RuleChange change;
  if (view.allow) change.allow.emplace();
  if (view.deny) change.deny.emplace();
  if (change.allow) {
    Status parsed = parse_rules("--allow", view.allow, *change.allow);
    if (!parsed) return pass(std::move(parsed));
  }
  if (change.deny) {
    Status parsed = parse_rules("--deny", view.deny, *change.deny);
    if (!parsed) return pass(std::move(parsed));
  }
  return change;
}

}  // namespace ginnel::server
