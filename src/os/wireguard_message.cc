#include "os/wireguard_message.h"

#include <fmt/format.h>
#include <linux/genetlink.h>
#include <linux/wireguard.h>

#include <algorithm>

#include "base/check.h"
#include "os/netlink_attribute.h"
#include "os/socket_address.h"

namespace ginnel::os {
namespace {

// What the longest peer takes without allowed IPs, and one allowed IP; with room for the frames
// around them.
constexpr std::size_t kPeerRoom = 256;
constexpr std::size_t kAllowedIpRoom = 64;

template <std::size_t kSize>
bool read_key(ByteView payload, std::span<std::uint8_t, kSize> key) {
  if (payload.size() != key.size()) return false;
  std::copy(payload.begin(), payload.end(), key.begin());
  return true;
}

std::optional<net::Endpoint> read_endpoint(ByteView payload) {
  SocketAddress address{};
  std::memcpy(&address, payload.data(), std::min(payload.size(), sizeof address));
  const bool is_v4 = payload.size() >= sizeof(sockaddr_in) && address.base.sa_family == AF_INET;
  const bool is_v6 = payload.size() >= sizeof(sockaddr_in6) && address.base.sa_family == AF_INET6;
  if (!is_v4 && !is_v6) return std::nullopt;
  return from_socket_address(address);
}

// Two numbers of 64 bits. A time that no clock of ours can hold is not one.
std::optional<UnixTime> read_time(ByteView payload) {
  const auto seconds = read_number<std::int64_t>(payload);
  if (!seconds || payload.size() < 2 * sizeof(std::int64_t)) return std::nullopt;
  const auto nanoseconds = read_number<std::int64_t>(payload.subspan(sizeof(std::int64_t)));
  constexpr std::int64_t kMostSeconds = 9'000'000'000;  // In nanoseconds they just fit.
  if (*seconds < 0 || *seconds > kMostSeconds) return std::nullopt;
  if (*nanoseconds < 0 || *nanoseconds >= 1'000'000'000) return std::nullopt;
  if (*seconds == 0 && *nanoseconds == 0) return std::nullopt;
  return UnixTime(std::chrono::seconds(*seconds) + std::chrono::nanoseconds(*nanoseconds));
}

std::optional<net::Prefix> read_allowed_ip(ByteView bytes) {
  std::optional<std::uint16_t> family;
  std::optional<std::uint8_t> length;
  ByteView address;
  for_each_attribute(bytes, [&](int type, ByteView payload) {
    if (type == WGALLOWEDIP_A_FAMILY) family = read_number<std::uint16_t>(payload);
    if (type == WGALLOWEDIP_A_CIDR_MASK) length = read_number<std::uint8_t>(payload);
    if (type == WGALLOWEDIP_A_IPADDR) address = payload;
  });
  if (!length) return std::nullopt;
  if (family == AF_INET && address.size() == sizeof(in_addr) && *length <= 32) {
    in_addr value{};
    std::memcpy(&value, address.data(), sizeof value);
    return net::Prefix::masking(from_in_addr(value), *length);
  }
  if (family == AF_INET6 && address.size() == sizeof(in6_addr) && *length <= 128) {
    in6_addr value{};
    std::memcpy(&value, address.data(), sizeof value);
    return net::Prefix::masking(from_in6_addr(value), *length);
  }
  return std::nullopt;
}

// One message after the other in one buffer. Every put has room: whoever puts asks has_room().
class MessageWriter {
 public:
  MessageWriter(std::uint16_t family, const std::string& interface,
                const std::function<Status(nlmsghdr&)>& each)
      : family_(family), interface_(interface), each_(each), buffer_(kMaxWireguardMessage) {
    start();
  }
  ~MessageWriter() { erase(buffer_); }
  MessageWriter(const MessageWriter&) = delete;
  MessageWriter& operator=(const MessageWriter&) = delete;

  Status write(const WireguardChange& change) {
    put_bytes(WGDEVICE_A_PRIVATE_KEY, change.private_key);
    if (change.listen_port) put_number(WGDEVICE_A_LISTEN_PORT, *change.listen_port);
    if (change.fwmark) put_number(WGDEVICE_A_FWMARK, *change.fwmark);
    if (change.replace_peers) {
      put_number(WGDEVICE_A_FLAGS, std::uint32_t{WGDEVICE_F_REPLACE_PEERS});
    }
    for (const WireguardPeerChange& peer : change.peers) {
      if (Status put = put_peer(peer); !put) return put;
    }
    return flush();
  }

 private:
  void start() {
    erase(buffer_);
    header_ = mnl_nlmsg_put_header(buffer_.data());
    header_->nlmsg_type = family_;
    auto& fixed =
        *static_cast<genlmsghdr*>(mnl_nlmsg_put_extra_header(header_, sizeof(genlmsghdr)));
    fixed.cmd = WG_CMD_SET_DEVICE;
    fixed.version = WG_GENL_VERSION;
    CHECK(mnl_attr_put_strz_check(header_, buffer_.size(), WGDEVICE_A_IFNAME, interface_.c_str()));
    peers_ = nullptr;
  }
  Status flush() {
    if (peers_ != nullptr) mnl_attr_nest_end(header_, peers_);
    return each_(*header_);
  }
  bool has_room(std::size_t bytes) const {
    return header_->nlmsg_len + bytes <= kMaxWireguardMessage;
  }

  template <class T>
  void put_number(std::uint16_t type, T number) {
    CHECK(mnl_attr_put_check(header_, buffer_.size(), type, sizeof number, &number));
  }
  void put_bytes(std::uint16_t type, ByteView bytes) {
    if (bytes.empty()) return;
    CHECK(mnl_attr_put_check(header_, buffer_.size(), type, bytes.size(), bytes.data()));
  }
  nlattr* nest(std::uint16_t type) {
    nlattr* begun = mnl_attr_nest_start_check(header_, buffer_.size(), type);
    CHECK(begun != nullptr);
    return begun;
  }

  Status put_peer(const WireguardPeerChange& peer) {
    nlattr* frame = nullptr;
    const auto begin = [&](std::uint32_t flags) {
      if (peers_ == nullptr) peers_ = nest(WGDEVICE_A_PEERS);
      frame = nest(0);
      put_bytes(WGPEER_A_PUBLIC_KEY, peer.public_key);
      if (flags != 0) put_number(WGPEER_A_FLAGS, flags);
    };
    if (!has_room(kPeerRoom)) {
      if (Status sent = flush(); !sent) return sent;
      start();
    }
    const std::uint32_t update_only = peer.update_only ? WGPEER_F_UPDATE_ONLY : 0;
    begin(update_only | (peer.remove ? WGPEER_F_REMOVE_ME : 0) |
          (peer.replace_allowed_ips ? WGPEER_F_REPLACE_ALLOWEDIPS : 0));
    put_bytes(WGPEER_A_PRESHARED_KEY, peer.preshared_key);
    if (peer.endpoint) put_endpoint(*peer.endpoint);
    if (peer.persistent_keepalive_seconds) {
      put_number(WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL, *peer.persistent_keepalive_seconds);
    }
    nlattr* list = peer.allowed_ips.empty() ? nullptr : nest(WGPEER_A_ALLOWEDIPS);
    for (const net::Prefix& prefix : peer.allowed_ips) {
      if (!has_room(kAllowedIpRoom)) {
        mnl_attr_nest_end(header_, list);
        mnl_attr_nest_end(header_, frame);
        if (Status sent = flush(); !sent) return sent;
        start();
        begin(update_only);  // What was replaced stays replaced: the rest is added to it.
        list = nest(WGPEER_A_ALLOWEDIPS);
      }
      put_allowed_ip(prefix);
    }
    if (list != nullptr) mnl_attr_nest_end(header_, list);
    mnl_attr_nest_end(header_, frame);
    return ok();
  }

  void put_endpoint(const net::Endpoint& endpoint) {
    SocketAddress address{};
    const socklen_t size = to_socket_address(endpoint, address);
    put_bytes(WGPEER_A_ENDPOINT, {reinterpret_cast<const std::uint8_t*>(&address), size});
  }

  void put_allowed_ip(const net::Prefix& prefix) {
    nlattr* frame = nest(0);
    put_number(WGALLOWEDIP_A_FAMILY, static_cast<std::uint16_t>(socket_family(prefix.family())));
    put_bytes(WGALLOWEDIP_A_IPADDR, prefix.address().bytes());
    put_number(WGALLOWEDIP_A_CIDR_MASK, static_cast<std::uint8_t>(prefix.length()));
    mnl_attr_nest_end(header_, frame);
  }

  const std::uint16_t family_;
  const std::string& interface_;
  const std::function<Status(nlmsghdr&)>& each_;
  std::vector<std::uint8_t> buffer_;
  nlmsghdr* header_ = nullptr;
  nlattr* peers_ = nullptr;  // Open in this message.
};

}  // namespace

void WireguardReader::restart() {
  state_ = {};
  allowed_ips_ = 0;
  too_much_ = false;
}

void WireguardReader::read(const nlmsghdr& message) {
  for_each_attribute(attributes_behind(message, sizeof(genlmsghdr)),
                     [&](int type, ByteView payload) {
                       if (type == WGDEVICE_A_PRIVATE_KEY)
                         read_key(payload, state_.private_key.expose_mutable());
                       if (type == WGDEVICE_A_PUBLIC_KEY)
                         read_key(payload, std::span(state_.public_key));
                       if (type == WGDEVICE_A_LISTEN_PORT) {
                         state_.listen_port = read_number<std::uint16_t>(payload).value_or(0);
                       }
                       if (type == WGDEVICE_A_FWMARK) {
                         state_.fwmark = read_number<std::uint32_t>(payload).value_or(0);
                       }
                       if (type == WGDEVICE_A_PEERS) read_peers(payload);
                     });
}

void WireguardReader::read_peers(ByteView bytes) {
  for_each_attribute(bytes, [&](int, ByteView peer) { read_peer(peer); });
}

void WireguardReader::read_peer(ByteView bytes) {
  WireguardPeerState read;
  ByteView allowed_ips;
  bool has_key = false;
  for_each_attribute(bytes, [&](int type, ByteView payload) {
    if (type == WGPEER_A_PUBLIC_KEY) has_key = read_key(payload, std::span(read.public_key));
    if (type == WGPEER_A_PRESHARED_KEY) read_key(payload, read.preshared_key.expose_mutable());
    if (type == WGPEER_A_ENDPOINT) read.endpoint = read_endpoint(payload);
    if (type == WGPEER_A_LAST_HANDSHAKE_TIME) read.last_handshake = read_time(payload);
    if (type == WGPEER_A_RX_BYTES) {
      read.rx_bytes = read_number<std::uint64_t>(payload).value_or(0);
    }
    if (type == WGPEER_A_TX_BYTES) {
      read.tx_bytes = read_number<std::uint64_t>(payload).value_or(0);
    }
    if (type == WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL) {
      read.persistent_keepalive_seconds = read_number<std::uint16_t>(payload).value_or(0);
    }
    if (type == WGPEER_A_ALLOWEDIPS) allowed_ips = payload;
  });
  if (!has_key) return;
  const bool goes_on = !state_.peers.empty() && state_.peers.back().public_key == read.public_key;
  if (!goes_on) {
    too_much_ |= state_.peers.size() >= max_peers_;
    if (too_much_) return;
    state_.peers.push_back(std::move(read));
  }
  read_allowed_ips(allowed_ips, state_.peers.back());
}

void WireguardReader::read_allowed_ips(ByteView bytes, WireguardPeerState& peer) {
  for_each_attribute(bytes, [&](int, ByteView one) {
    const auto prefix = read_allowed_ip(one);
    if (!prefix) return;
    too_much_ |= allowed_ips_ >= max_allowed_ips_;
    if (too_much_) return;
    ++allowed_ips_;
    peer.allowed_ips.push_back(*prefix);
  });
}

Result<WireguardState> WireguardReader::take() {
  if (!too_much_) return std::move(state_);
  return fail(ErrorCode::Exhausted,
              fmt::format("it has more than {} peers or {} allowed IPs, which is more than can be "
                          "shown",
                          max_peers_, max_allowed_ips_));
}

Status for_each_wireguard_message(std::uint16_t family, const std::string& interface,
                                  const WireguardChange& change,
                                  const std::function<Status(nlmsghdr&)>& each) {
  return MessageWriter(family, interface, each).write(change);
}

}  // namespace ginnel::os
