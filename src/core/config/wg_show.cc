#include "core/config/wg_show.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>
#include <vector>

namespace ginnel::config {
namespace {

constexpr std::string_view kNone = "(none)";
constexpr std::string_view kHidden = "(hidden)";

// In the order of WgField.
constexpr std::string_view kFieldNames =
    "public-key private-key listen-port fwmark peers preshared-keys endpoints allowed-ips "
    "latest-handshakes transfer persistent-keepalive dump";

template <class... Args>
void append(std::string& out, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(std::back_inserter(out), format, std::forward<Args>(args)...);
}

template <class Key>
std::string secret_or_none(const std::optional<Key>& key) {
  return key ? key->expose_as_base64() : std::string(kNone);
}

std::string public_or_none(const std::optional<crypto::PublicKey>& key) {
  return key ? key->to_base64() : std::string(kNone);
}

std::string endpoint_or_none(const wg::PeerStatus& peer, const ZoneName& zones) {
  return peer.endpoint ? wg_endpoint_text(*peer.endpoint, zones) : std::string(kNone);
}

std::string allowed_ips_or_none(const wg::PeerStatus& peer, char separator) {
  if (peer.allowed_ips.empty()) return std::string(kNone);
  std::string text;
  for (const net::Prefix& prefix : peer.allowed_ips) {
    if (!text.empty()) text += separator;
    text += prefix.to_string();
  }
  return text;
}

std::string fwmark_or_off(const wg::DeviceStatus& device) {
  return device.fwmark == 0 ? "off" : fmt::format("{:#x}", device.fwmark);
}

std::string keepalive_or_off(const wg::PeerStatus& peer) {
  const unsigned seconds = peer.persistent_keepalive_seconds;
  return seconds == 0 ? "off" : fmt::format("{}", seconds);
}

// A field of the device, or nothing if the field is one of peers.
std::optional<std::string> device_field(WgField field, const wg::DeviceStatus& device) {
  switch (field) {
    case WgField::PublicKey:
      return public_or_none(device.public_key);
    case WgField::PrivateKey:
      return secret_or_none(device.private_key);
    case WgField::ListenPort:
      return fmt::format("{}", device.listen_port);
    case WgField::Fwmark:
      return fwmark_or_off(device);
    case WgField::Dump:
      return fmt::format("{}\t{}\t{}\t{}", secret_or_none(device.private_key),
                         public_or_none(device.public_key), device.listen_port,
                         fwmark_or_off(device));
    default:
      return std::nullopt;
  }
}

// What stands behind the peer's public key, with the tab before it; nothing for a field of devices.
std::optional<std::string> peer_field(WgField field, const wg::PeerStatus& peer,
                                      const ZoneName& zones) {
  switch (field) {
    case WgField::Peers:
      return "";
    case WgField::PresharedKeys:
      return '\t' + secret_or_none(peer.preshared_key);
    case WgField::Endpoints:
      return '\t' + endpoint_or_none(peer, zones);
    case WgField::AllowedIps:
      return '\t' + allowed_ips_or_none(peer, ' ');
    case WgField::LatestHandshakes:
      return fmt::format("\t{}", wg_handshake_seconds(peer));
    case WgField::Transfer:
      return fmt::format("\t{}\t{}", peer.rx_bytes, peer.tx_bytes);
    case WgField::PersistentKeepalive:
      return '\t' + keepalive_or_off(peer);
    case WgField::Dump:
      return fmt::format("\t{}\t{}\t{}\t{}\t{}\t{}\t{}", secret_or_none(peer.preshared_key),
                         endpoint_or_none(peer, zones), allowed_ips_or_none(peer, ','),
                         wg_handshake_seconds(peer), peer.rx_bytes, peer.tx_bytes,
                         keepalive_or_off(peer));
    default:
      return std::nullopt;
  }
}

// The form for people, as it is written line by line.
class PrettyText {
 public:
  PrettyText(UnixTime now, const WgShowStyle& style) : now_(now), style_(style) {}

  void add_device(std::string_view interface, const wg::DeviceStatus& device) {
    if (style_.colour) text_ += kReset;
    heading(kGreen, "interface", interface);
    if (device.public_key) line("public key", device.public_key->to_base64());
    if (device.private_key) secret_line("private key", *device.private_key);
    if (device.listen_port != 0) line("listening port", fmt::format("{}", device.listen_port));
    if (device.fwmark != 0) line("fwmark", fwmark_or_off(device));
  }

  void add_peer(const wg::PeerStatus& peer) {
    text_ += '\n';
    heading(kYellow, "peer", peer.public_key.to_base64());
    if (peer.preshared_key) secret_line("preshared key", *peer.preshared_key);
    if (peer.endpoint) line("endpoint", wg_endpoint_text(*peer.endpoint, style_.zones));
    line("allowed ips", allowed_ips(peer));
    if (wg_handshake_seconds(peer) != 0) line("latest handshake", age(wg_handshake_seconds(peer)));
    if (peer.rx_bytes != 0 || peer.tx_bytes != 0) {
      line("transfer",
           fmt::format("{} received, {} sent", amount(peer.rx_bytes), amount(peer.tx_bytes)));
    }
    if (peer.persistent_keepalive_seconds != 0) {
      line("persistent keepalive", "every " + span(peer.persistent_keepalive_seconds));
    }
  }

  std::string take() { return std::move(text_); }

 private:
  static constexpr std::string_view kReset = "\x1b[0m", kBold = "\x1b[1m", kRed = "\x1b[31m",
                                    kGreen = "\x1b[32m", kYellow = "\x1b[33m", kCyan = "\x1b[36m";

  std::string paint(std::string_view colour, std::string_view word) const {
    if (!style_.colour) return std::string(word);
    return fmt::format("{}{}{}", colour, word, kReset);
  }
  void heading(std::string_view colour, std::string_view kind, std::string_view name) {
    if (style_.colour) text_ += colour;
    append(text_, "{}: {}\n", paint(kBold, kind), paint(colour, name));
  }
  void line(std::string_view name, std::string_view value) {
    append(text_, "  {}: {}\n", paint(kBold, name), value);
  }
  template <class Key>
  void secret_line(std::string_view name, const Key& key) {
    line(name, style_.hides_keys ? std::string(kHidden) : key.expose_as_base64());
  }

  std::string allowed_ips(const wg::PeerStatus& peer) const {
    if (peer.allowed_ips.empty()) return std::string(kNone);
    std::string text;
    for (const net::Prefix& prefix : peer.allowed_ips) {
      append(text, "{}{}{}{}", text.empty() ? "" : ", ", prefix.address().to_string(),
             paint(kCyan, "/"), prefix.length());
    }
    return text;
  }

  std::string age(std::int64_t handshake) const {
    const std::int64_t seconds = now_seconds() - handshake;
    if (seconds == 0) return "Now";
    if (seconds > 0) return span(seconds) + " ago";
    return fmt::format("({})",
                       paint(kRed, "System clock wound backward; connection problems may ensue."));
  }
  std::int64_t now_seconds() const {
    return std::chrono::floor<std::chrono::seconds>(now_).time_since_epoch().count();
  }

  // "1 hour, 2 minutes".
  std::string span(std::int64_t seconds) const {
    static constexpr std::int64_t kMinute = 60, kHour = 60 * kMinute, kDay = 24 * kHour;
    static constexpr std::pair<std::string_view, std::int64_t> kUnits[] = {
        {"year", 365 * kDay}, {"day", kDay}, {"hour", kHour}, {"minute", kMinute}, {"second", 1}};
    std::string text;
    for (const auto& [name, length] : kUnits) {
      const std::int64_t count = seconds / length;
      seconds %= length;
      if (count == 0) continue;
      const std::string unit = count == 1 ? std::string(name) : fmt::format("{}s", name);
      append(text, "{}{} {}", text.empty() ? "" : ", ", count, paint(kCyan, unit));
    }
    return text;
  }

  // "1.21 KiB".
  std::string amount(std::uint64_t bytes) const {
    static constexpr std::string_view kUnits[] = {"KiB", "MiB", "GiB", "TiB"};
    if (bytes < 1024) return fmt::format("{} {}", bytes, paint(kCyan, "B"));
    double scaled = static_cast<double>(bytes) / 1024;
    std::size_t unit = 0;
    for (std::uint64_t rest = bytes >> 10; rest >= 1024 && unit + 1 < std::size(kUnits); ++unit) {
      rest >>= 10;
      scaled /= 1024;
    }
    return fmt::format("{:.2f} {}", scaled, paint(kCyan, kUnits[unit]));
  }

  const UnixTime now_;
  const WgShowStyle& style_;
  std::string text_;
};

}  // namespace

std::string_view wg_field_names() { return kFieldNames; }

std::optional<WgField> parse_wg_field(std::string_view name) {
  std::uint8_t index = 0;
  std::string_view rest = kFieldNames;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(' '), rest.size());
    if (rest.substr(0, end) == name) return static_cast<WgField>(index);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    ++index;
  }
  return std::nullopt;
}

std::string wg_show_pretty(std::string_view interface, const wg::DeviceStatus& device, UnixTime now,
                           const WgShowStyle& style) {
  std::vector<const wg::PeerStatus*> peers;
  for (const wg::PeerStatus& peer : device.peers) peers.push_back(&peer);
  // Those without a handshake stay in the device's order: they are elements of one vector.
  std::sort(peers.begin(), peers.end(), [](const wg::PeerStatus* a, const wg::PeerStatus* b) {
    return a->last_handshake != b->last_handshake ? a->last_handshake > b->last_handshake : a < b;
  });
  PrettyText text(now, style);
  text.add_device(interface, device);
  for (const wg::PeerStatus* peer : peers) text.add_peer(*peer);
  return text.take();
}

std::string wg_show_field(WgField field, std::string_view interface, const wg::DeviceStatus& device,
                          const ZoneName& zones) {
  std::string start = interface.empty() ? "" : fmt::format("{}\t", interface);
  std::string text;
  // Of this field alone stock `wg` names the interface once, in front of its first peer or of
  // nothing. Scripts that take it apart have to cope with that, and would break without it.
  if (field == WgField::Endpoints) text = std::exchange(start, "");
  if (const auto value = device_field(field, device)) append(text, "{}{}\n", start, *value);
  for (const wg::PeerStatus& peer : device.peers) {
    const auto value = peer_field(field, peer, zones);
    if (!value) break;
    append(text, "{}{}{}\n", start, peer.public_key.to_base64(), *value);
  }
  return text;
}

std::string wg_show_conf(const wg::DeviceStatus& device, const ZoneName& zones) {
  std::string text = "[Interface]\n";
  if (device.listen_port != 0) append(text, "ListenPort = {}\n", device.listen_port);
  if (device.fwmark != 0) append(text, "FwMark = {:#x}\n", device.fwmark);
  if (device.private_key) {
    append(text, "PrivateKey = {}\n", device.private_key->expose_as_base64());
  }
  for (const wg::PeerStatus& peer : device.peers) {
    append(text, "\n[Peer]\nPublicKey = {}\n", peer.public_key.to_base64());
    if (peer.preshared_key) {
      append(text, "PresharedKey = {}\n", peer.preshared_key->expose_as_base64());
    }
    for (const net::Prefix& prefix : peer.allowed_ips) {
      const bool is_first = &prefix == &peer.allowed_ips.front();
      append(text, "{}{}", is_first ? "AllowedIPs = " : ", ", prefix.to_string());
    }
    if (!peer.allowed_ips.empty()) text += '\n';
    if (peer.endpoint) append(text, "Endpoint = {}\n", wg_endpoint_text(*peer.endpoint, zones));
    if (peer.persistent_keepalive_seconds != 0) {
      append(text, "PersistentKeepalive = {}\n", peer.persistent_keepalive_seconds);
    }
  }
  if (device.peers.empty()) text += '\n';
  return text;
}

std::string wg_endpoint_text(const net::Endpoint& endpoint, const ZoneName& zones) {
  if (endpoint.scope == 0 || !zones) return endpoint.to_string();
  return fmt::format("[{}%{}]:{}", endpoint.address.to_string(), zones(endpoint.scope),
                     endpoint.port);
}

std::int64_t wg_handshake_seconds(const wg::PeerStatus& peer) {
  if (!peer.last_handshake) return 0;
  return std::chrono::floor<std::chrono::seconds>(*peer.last_handshake).time_since_epoch().count();
}

}  // namespace ginnel::config
