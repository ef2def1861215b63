// The configuration files of wg-quick. Two readers share one file: wg-quick takes its own keys of
// [Interface], `wg` gets every other line; what either refuses is refused here, with the line and
// the remedy. Names of hosts and services are looked up by services, never here.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "core/wg/device_config.h"
#include "net/prefix.h"

namespace ginnel::config {

inline constexpr std::size_t kMaxQuickFile = std::size_t{64} << 20;
inline constexpr std::size_t kMaxQuickAddresses = 1024;
inline constexpr std::size_t kMaxQuickHooks = 256;       // Of one kind.
inline constexpr std::size_t kMaxQuickDns = 64;          // Servers and search domains together.
inline constexpr std::size_t kMaxQuickPeers = 1u << 20;  // What a device can hold.
inline constexpr std::size_t kMaxQuickWarnings = 64;     // More lines of one kind are alike.

// A port by its number or by the name of a service ("domain").
using PortText = std::string;

struct QuickEndpoint {
  std::string host;  // A name, or an address without brackets.
  PortText port;
  friend bool operator==(const QuickEndpoint&, const QuickEndpoint&) = default;
};

struct QuickPeer {
  crypto::PublicKey public_key;
  bool has_public_key = false;  // One of zeros is a key to `wg`.
  std::optional<crypto::PresharedKey> preshared_key;
  std::vector<wg::AllowedIpChange> allowed_ips;
  std::vector<std::size_t> allowed_ip_lines;  // Of each of them.
  // Signs (+10.0.0.0/8, -10.0.0.0/8) change what the device has, instead of replacing it.
  bool replace_allowed_ips = true;
  std::optional<QuickEndpoint> endpoint;
  std::optional<std::uint16_t> persistent_keepalive_seconds;  // Zero: off.
  std::size_t line = 0;                                       // Of its section.
  std::size_t endpoint_line = 0;
};

// A command. "%i" in it stands for the interface; it may hold keys.
struct QuickHook {
  std::string text;
  std::size_t line = 0;
  friend bool operator==(const QuickHook&, const QuickHook&) = default;
};
// In the order of the file.
struct QuickHooks {
  std::vector<QuickHook> pre_up;
  std::vector<QuickHook> post_up;
  std::vector<QuickHook> pre_down;
  std::vector<QuickHook> post_down;
};

struct QuickFile {
  std::vector<net::InterfaceAddress> addresses;
  std::vector<std::string> dns_servers;  // A zone may be part of one.
  std::vector<std::string> search_domains;
  std::optional<std::uint32_t> mtu;
  std::string table = "auto";  // "auto", "off", a number, or a name that the host knows.
  std::size_t table_line = 0;
  QuickHooks hooks;
  bool save_config = false;

  std::optional<crypto::PrivateKey> private_key;
  std::optional<PortText> listen_port;
  std::size_t listen_port_line = 0;
  std::optional<std::uint32_t> fwmark;
  std::vector<QuickPeer> peers;  // Each key once; a later section of one adds to or replaces it.

  // Of values that stock tools take for something else than what people read: file, line, and what
  // each was taken as.
  std::vector<std::string> warnings;
};

// `name` is what errors call the file. "wg0.conf:12: AllowedIPs: ..." is how they begin.
Result<QuickFile> parse_quick_file(std::string_view name, std::string_view text);

// Its commands alone, whatever else is wrong with it: who takes a tunnel down needs no more.
QuickHooks quick_commands(std::string_view text);

// The lines that are meant for `wg`. Fails where wg-quick's own reader does.
Result<std::string> strip_quick_file(std::string_view name, std::string_view text);

}  // namespace ginnel::config
