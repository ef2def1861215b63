// What `wg show` prints, byte for byte: people read it and scripts parse it. Text only; where a
// device's status comes from is the caller's business. The texts may hold keys (secret_text.h).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "core/wg/device_config.h"

namespace ginnel::config {

// One column of the tables that scripts ask for.
enum class WgField : std::uint8_t {
  PublicKey,
  PrivateKey,
  ListenPort,
  Fwmark,
  Peers,
  PresharedKeys,
  Endpoints,
  AllowedIps,
  LatestHandshakes,
  Transfer,
  PersistentKeepalive,
  Dump,  // All of them.
};
// As on the command line: "preshared-keys".
std::optional<WgField> parse_wg_field(std::string_view name);
// All names, separated by spaces.
std::string_view wg_field_names();

// What an interface index is called in an endpoint such as [fe80::1%eth0]:51820.
using ZoneName = std::function<std::string(std::uint32_t)>;

struct WgShowStyle {
  bool colour = false;
  bool hides_keys = true;
  ZoneName zones = {};  // Without it, zones are numbers.
};

// The form for people. The peer heard of last comes first.
std::string wg_show_pretty(std::string_view interface, const wg::DeviceStatus& device, UnixTime now,
                           const WgShowStyle& style);

// One field in the form for scripts, which never hides a key. Each line starts with `interface`,
// unless that is empty: of one interface that was asked for by name, it is left out.
std::string wg_show_field(WgField field, std::string_view interface, const wg::DeviceStatus& device,
                          const ZoneName& zones);

// The file that makes a device what it is, as `wg showconf` prints it: it holds keys.
std::string wg_show_conf(const wg::DeviceStatus& device, const ZoneName& zones);

// "192.0.2.1:51820", "[fe80::1%eth0]:51820".
std::string wg_endpoint_text(const net::Endpoint& endpoint, const ZoneName& zones);

// Seconds since 1970 as scripts see them: 0 stands for never.
std::int64_t wg_handshake_seconds(const wg::PeerStatus& peer);

}  // namespace ginnel::config
