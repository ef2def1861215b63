// What a person may write for a server: server.toml, a file of peers.d, and flags. An accepted
// configuration keeps its promises, whatever stood there; a refused one says why in one line.
#include "base/check.h"
#include "core/config/client_file.h"
#include "core/config/server_config.h"
#include "fuzz/fuzz_input.h"

namespace ginnel::config {
namespace {

void check_error(const Error& error) {
  CHECK(!error.message.empty() && error.message.size() < 2000);
  CHECK(error.message.find('\n') == std::string::npos);
}

void read_flags(std::string_view text, ServerFlags& flags) {
  std::optional<std::string>* const single[] = {
      &flags.private_key, &flags.listen,   &flags.subnet, &flags.subnet6,        &flags.server_ip,
      &flags.subnet_mask, &flags.endpoint, &flags.mtu,    &flags.metrics_listen, &flags.interface};
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty()) continue;
    const auto which = static_cast<unsigned char>(line.front()) - unsigned{'a'};
    const std::string value(line.substr(1));
    if (which < std::size(single)) {
      *single[which] = value;
    } else if (line.front() == 'p') {
      flags.peers.push_back(value);
    } else if (line.front() == 'q') {
      flags.peer_ips.push_back(value);
    } else if (line.front() == 'd') {
      flags.dns.push_back(value);
    }
  }
}

void check_rules(const net::FlowRules& rules) {
  CHECK(!rules.allow ||
        (!rules.allow->empty() && rules.allow->size() <= net::FlowRules::kMaxRules));
  CHECK(rules.deny.size() <= net::FlowRules::kMaxRules);
}

void check_config(const ServerConfig& config) {
  check_rules(config.rules);
  CHECK(config.admit.size() <= net::FlowRules::kMaxRules);
  CHECK(check_subnet(config.subnets.v4).has_value());
  CHECK(config.subnets.v4.contains(config.own.v4));
  CHECK(config.own.v6.has_value() == config.subnets.v6.has_value());
  CHECK(config.mtu >= kMinMtu);
  CHECK(config.peers.size() <= kMaxServerPeers);
  AddressPool pool = address_pool(config);
  CHECK(!pool.is_free(config.own.v4));
  for (const ServerPeer& peer : config.peers) {
    CHECK(check_peer_name(peer.name).has_value());
    check_rules(peer.rules);
    CHECK(config.find_peer(peer.name) == &peer);
    for (const net::Address& address : peer.addresses) CHECK(!pool.is_free(address));
    CHECK(to_peer_change(peer, std::nullopt).public_key == peer.public_key);
    const auto file = client_file(config, peer,
                                  {.server_key = peer.public_key,
                                   .endpoint = HostPort::parse("vpn.example:51820").value(),
                                   .dns = {}});
    if (!file) check_error(file.error());
  }
  CHECK(changed_peers(config.peers, config.peers).empty());
}

void read(ByteView input) {
  FuzzInput in(input);
  ServerInputs inputs;
  inputs.generated_subnet6 = net::Prefix::parse("fd12:3456:789a:1::/64").value();
  const std::string server_text(in.text_block());
  const std::string peer_text(in.text_block());
  read_flags(in.text(4096), inputs.flags);
  const auto file = TomlDocument::parse("server.toml", server_text);
  if (!file) return check_error(file.error());
  inputs.file = &*file;
  if (!peer_text.empty()) {
    auto peer = parse_peer_file("peers.d/anna.toml", peer_text);
    if (!peer) return check_error(peer.error());
    const auto again = parse_peer_file("peers.d/anna.toml", to_peer_file(*peer));
    CHECK(again.has_value());
    CHECK(to_peer_file(*again) == to_peer_file(*peer));
    inputs.peers.push_back(std::move(*peer));
  }
  const auto config = make_server_config(std::move(inputs));
  if (!config) return check_error(config.error());
  check_config(*config);
}

}  // namespace
}  // namespace ginnel::config

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ginnel::config::read({data, size});
  return 0;
}
