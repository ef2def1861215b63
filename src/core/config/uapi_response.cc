#include "core/config/uapi_response.h"

#include <fmt/format.h>

#include <iterator>

#include "base/check.h"
#include "base/text.h"

namespace ginnel::config {
namespace {

constexpr std::string_view kCounterPrefix = "ginnel_";
constexpr std::int64_t kNanosecondsPerSecond = 1'000'000'000;

template <class... Args>
void append(std::string& out, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(std::back_inserter(out), format, std::forward<Args>(args)...);
}

// Straight into `out`, so that no other copy of a secret comes to be.
void append_key(std::string& out, std::string_view name, crypto::KeyView key) {
  static constexpr char kDigits[] = "0123456789abcdef";
  out += name;
  out += '=';
  for (const std::uint8_t byte : key) {
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  out += '\n';
}

void append_counters(std::string& out, const std::vector<wg::NamedCounter>& counters) {
  for (const wg::NamedCounter& counter : counters) {
    append(out, "{}{}={}\n", kCounterPrefix, counter.name, counter.value);
  }
}

// Not less than what the answer takes: growing would leave copies of keys in freed memory.
std::size_t size_bound(const wg::DeviceStatus& device) {
  static constexpr std::size_t kFixedPerPeer = 512, kPerAllowedIp = 64, kPerCounter = 64;
  const auto of_counters = [](const std::vector<wg::NamedCounter>& counters) {
    std::size_t size = 0;
    for (const wg::NamedCounter& counter : counters) size += kPerCounter + counter.name.size();
    return size;
  };
  std::size_t size = kFixedPerPeer + of_counters(device.counters);
  for (const wg::PeerStatus& peer : device.peers) {
    size += kFixedPerPeer + kPerAllowedIp * peer.allowed_ips.size() + of_counters(peer.counters);
  }
  return size;
}

// Reads the lines of one answer. Each reader returns false when the value makes no sense.
class ResponseReader {
 public:
  explicit ResponseReader(const ZoneLookup& zones) : zones_(zones) {}

  bool read_line(std::string_view key, std::string_view value) {
    if (key == "errno") return read_number(value, errno_);
    if (key == "public_key") return read_public_key(value);
    if (key.starts_with(kCounterPrefix)) return read_counter(key, value);
    return device_.peers.empty() ? read_device_line(key, value)
                                 : read_peer_line(device_.peers.back(), key, value);
  }

  const std::optional<std::int64_t>& error() const { return errno_; }
  wg::DeviceStatus take() { return std::move(device_); }

 private:
  template <class T>
  static bool read_number(std::string_view value, std::optional<T>& out) {
    out = parse_number<T>(value, std::numeric_limits<T>::min(), std::numeric_limits<T>::max());
    return out.has_value();
  }
  template <class T>
  static bool read_number(std::string_view value, T& out) {
    const auto number =
        parse_number<T>(value, std::numeric_limits<T>::min(), std::numeric_limits<T>::max());
    out = number.value_or(0);
    return number.has_value();
  }

  bool read_device_line(std::string_view key, std::string_view value) {
    if (key == "listen_port") return read_number(value, device_.listen_port);
    if (key == "fwmark") return read_number(value, device_.fwmark);
    if (key != "private_key") return true;
    auto private_key = crypto::PrivateKey::from_hex(value);
    if (!private_key) return false;
    if (private_key->is_zero()) return true;
    device_.public_key = private_key->public_key();
    device_.private_key = std::move(*private_key);
    return true;
  }

  bool read_peer_line(wg::PeerStatus& peer, std::string_view key, std::string_view value) {
    if (key == "allowed_ip") {
      const auto prefix = net::Prefix::parse_masking(value);
      if (prefix) peer.allowed_ips.push_back(*prefix);
      return prefix.has_value();
    }
    if (key == "endpoint") {
      peer.endpoint = parse_uapi_endpoint(value, zones_);
      return peer.endpoint.has_value();
    }
    if (key == "preshared_key") {
      auto preshared = crypto::PresharedKey::from_hex(value);
      if (preshared && !preshared->is_zero()) peer.preshared_key = std::move(*preshared);
      return preshared.has_value();
    }
    if (key == "rx_bytes") return read_number(value, peer.rx_bytes);
    if (key == "tx_bytes") return read_number(value, peer.tx_bytes);
    if (key == "persistent_keepalive_interval") {
      return read_number(value, peer.persistent_keepalive_seconds);
    }
    if (key == "last_handshake_time_sec") return read_handshake_seconds(peer, value);
    if (key == "last_handshake_time_nsec") return read_handshake_nanoseconds(peer, value);
    return true;
  }

  static bool read_handshake_seconds(wg::PeerStatus& peer, std::string_view value) {
    static constexpr std::int64_t kMax = INT64_MAX / kNanosecondsPerSecond - 1;
    const auto seconds = parse_number<std::int64_t>(value, 0, kMax);
    if (seconds && *seconds != 0) {
      peer.last_handshake = UnixTime(Duration(*seconds * kNanosecondsPerSecond));
    }
    return seconds.has_value();
  }

  static bool read_handshake_nanoseconds(wg::PeerStatus& peer, std::string_view value) {
    const auto part = parse_number<std::int64_t>(value, 0, kNanosecondsPerSecond - 1);
    if (part && *part != 0)
      peer.last_handshake = peer.last_handshake.value_or(UnixTime()) + Duration(*part);
    return part.has_value();
  }

  bool read_public_key(std::string_view value) {
    const auto key = crypto::PublicKey::from_hex(value);
    if (key) device_.peers.emplace_back().public_key = *key;
    return key.has_value();
  }

  bool read_counter(std::string_view key, std::string_view value) {
    wg::NamedCounter counter{std::string(key.substr(kCounterPrefix.size())), 0};
    if (!read_number(value, counter.value)) return true;  // Not ours after all.
    auto& counters = device_.peers.empty() ? device_.counters : device_.peers.back().counters;
    counters.push_back(std::move(counter));
    return true;
  }

  const ZoneLookup& zones_;
  std::optional<std::int64_t> errno_;
  wg::DeviceStatus device_;
};

Error refusal(std::int64_t code) {
  switch (static_cast<UapiErrno>(code)) {
    case UapiErrno::NotPermitted:
      return {ErrorCode::PermissionDenied, "operation not permitted"};
    case UapiErrno::Io:
      return {ErrorCode::Io, "input or output error"};
    case UapiErrno::Invalid:
      return {ErrorCode::InvalidArgument, "invalid argument"};
    case UapiErrno::Protocol:
      return {ErrorCode::InvalidArgument, "protocol error"};
    case UapiErrno::AddressInUse:
      return {ErrorCode::AlreadyExists, "address in use"};
    default:
      return {ErrorCode::Io, fmt::format("error number {}", code)};
  }
}

}  // namespace

std::string uapi_get_response(const wg::DeviceStatus& device) {
  std::string out;
  const std::size_t bound = size_bound(device);
  out.reserve(bound);
  append_uapi_device(out, device);
  for (const wg::PeerStatus& peer : device.peers) append_uapi_peer(out, peer);
  append_uapi_end(out, UapiVerb::Get, UapiErrno::Ok);
  CHECK(out.size() <= bound);
  return out;
}

void append_uapi_device(std::string& out, const wg::DeviceStatus& device) {
  if (device.private_key) append_key(out, "private_key", device.private_key->expose());
  if (device.listen_port != 0) append(out, "listen_port={}\n", device.listen_port);
  if (device.fwmark != 0) append(out, "fwmark={}\n", device.fwmark);
  append_counters(out, device.counters);
}

void append_uapi_peer(std::string& out, const wg::PeerStatus& peer) {
  static constexpr std::array<std::uint8_t, crypto::kKeySize> kNoKey{};
  append_key(out, "public_key", peer.public_key.bytes());
  append_key(out, "preshared_key",
             peer.preshared_key ? peer.preshared_key->expose() : crypto::KeyView(kNoKey));
  out += "protocol_version=1\n";
  if (peer.endpoint) append(out, "endpoint={}\n", peer.endpoint->to_string());
  const std::int64_t handshake =
      peer.last_handshake ? peer.last_handshake->time_since_epoch().count() : 0;
  append(out,
         "last_handshake_time_sec={}\nlast_handshake_time_nsec={}\n"
         "tx_bytes={}\nrx_bytes={}\npersistent_keepalive_interval={}\n",
         handshake / kNanosecondsPerSecond, handshake % kNanosecondsPerSecond, peer.tx_bytes,
         peer.rx_bytes, peer.persistent_keepalive_seconds);
  for (const net::Prefix& prefix : peer.allowed_ips) {
    append(out, "allowed_ip={}\n", prefix.to_string());
  }
  append_counters(out, peer.counters);
}

void append_uapi_end(std::string& out, UapiVerb verb, UapiErrno error) {
  const int code = static_cast<int>(error);
  append(out, "errno={}\n\n", verb == UapiVerb::Set ? -code : code);
}

Result<wg::DeviceStatus> parse_uapi_get_response(std::string_view text, const ZoneLookup& zones) {
  ResponseReader reader(zones);
  for (;;) {
    const std::size_t newline = text.find('\n');
    if (newline == std::string_view::npos) {
      return fail(ErrorCode::Unavailable, "the answer ended early; is the device shutting down?");
    }
    const std::string_view line = text.substr(0, newline);
    text.remove_prefix(newline + 1);
    if (line.empty()) break;
    const UapiLine setting = UapiLine::cut(line);
    if (!setting.has_value || !reader.read_line(setting.key, setting.value)) {
      return fail(ErrorCode::Unsupported,
                  fmt::format("the answer has a line that makes no sense, at \"{}\"; is this a "
                              "WireGuard device?",
                              setting.has_value ? setting.key.substr(0, 32) : ""));
    }
  }
  if (!reader.error()) {
    return fail(ErrorCode::Unsupported, "the answer has no errno; is this a WireGuard device?");
  }
  const std::int64_t code = *reader.error();
  if (code == INT64_MIN) return std::unexpected(refusal(INT64_MAX));
  if (code != 0) return std::unexpected(refusal(code < 0 ? -code : code));
  return reader.take();
}

bool is_complete_uapi_response(std::string_view text) {
  return text == "\n" || text.ends_with("\n\n");
}

}  // namespace ginnel::config
