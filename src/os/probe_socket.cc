#include "os/probe_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fmt/format.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "os/interface_index.h"
#include "os/os_error.h"
#include "os/socket_address.h"

namespace ginnel::os {
namespace {

using Kind = ProbeOptions::Kind;

// Not in every libc's headers.
constexpr int kIpv6HeaderIncluded = 36;
constexpr int kOn = 1;

bool set(int fd, int level, int option, int value) {
  return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

bool is_frame(Kind kind) { return kind == Kind::Frame || kind == Kind::FrameBypass; }

Fd make_socket(const ProbeOptions& options) {
  constexpr int kFlags = SOCK_CLOEXEC | SOCK_NONBLOCK;
  switch (options.kind) {
    case Kind::Datagram:
      return Fd(socket(socket_family(options.family), SOCK_DGRAM | kFlags, 0));
    case Kind::Packet:
      return Fd(socket(socket_family(options.family), SOCK_RAW | kFlags, IPPROTO_RAW));
    case Kind::Frame:
    case Kind::FrameBypass:
      return Fd(socket(AF_PACKET, SOCK_RAW | kFlags, 0));  // 0: it hears nothing.
  }
  std::unreachable();
}

Status bind_to_wire(int fd, const std::string& interface, std::uint16_t protocol) {
  const auto index = interface_index(interface);
  if (!index) return fail(ErrorCode::NotFound, fmt::format("there is no interface {}", interface));
  sockaddr_ll place{};
  place.sll_family = AF_PACKET;
  place.sll_protocol = htons(protocol);
  place.sll_ifindex = static_cast<int>(*index);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&place), sizeof place) == 0) return ok();
  return os_fail("bind a packet socket to " + interface, errno);
}

Status prepare(int fd, const ProbeOptions& options) {
  if (options.fwmark != 0 && !set(fd, SOL_SOCKET, SO_MARK, static_cast<int>(options.fwmark))) {
    return os_fail("mark a probe", errno);
  }
  if (is_frame(options.kind)) {
    if (options.kind == Kind::FrameBypass && !set(fd, SOL_PACKET, PACKET_QDISC_BYPASS, kOn)) {
      return os_fail("send a probe past the queue", errno);
    }
    return bind_to_wire(fd, options.interface, 0);
  }
  if (options.kind == Kind::Packet && options.family == net::Family::V6 &&
      !set(fd, IPPROTO_IPV6, kIpv6HeaderIncluded, kOn)) {
    return os_fail("send whole IPv6 packets", errno);
  }
  if (options.kind == Kind::Datagram && !set(fd, SOL_SOCKET, SO_BROADCAST, kOn)) {
    return os_fail("send broadcasts", errno);
  }
  if (!options.interface.empty() &&
      setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, options.interface.data(),
                 static_cast<socklen_t>(options.interface.size())) != 0) {
    return os_fail("bind a probe to " + options.interface, errno);
  }
  SocketAddress place;
  if (options.source) {
    const socklen_t size = to_socket_address({.address = *options.source}, place);
    if (bind(fd, &place.base, size) != 0) {
      return os_fail("bind a probe to " + options.source->to_string(), errno);
    }
  }
  if (!options.connect) return ok();
  const socklen_t size = to_socket_address(*options.connect, place);
  if (connect(fd, &place.base, size) == 0) return ok();
  return os_fail("connect a probe to " + options.connect->to_string(), errno);
}

}  // namespace

Result<ProbeSocket> ProbeSocket::open(const ProbeOptions& options) {
  Fd fd = make_socket(options);
  if (!fd) return os_fail("open a socket for probes", errno);
  if (Status prepared = prepare(fd.get(), options); !prepared) return pass(std::move(prepared));
  return ProbeSocket(std::move(fd), options);
}

// A refusal of an earlier one is told to whoever sends next, and then it is forgotten.
bool ProbeSocket::send(ByteView bytes, const net::Endpoint& to) const {
  return send_once(bytes, to) || send_once(bytes, to);
}

bool ProbeSocket::send_once(ByteView bytes, const net::Endpoint& to) const {
  if (options_.connect || is_frame(options_.kind)) {
    return ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) >= 0;
  }
  SocketAddress place;
  // A raw socket has no port.
  const bool is_packet = options_.kind == Kind::Packet;
  const socklen_t size =
      to_socket_address(is_packet ? net::Endpoint{.address = to.address} : to, place);
  return sendto(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL, &place.base, size) >= 0;
}

Result<CaptureSocket> CaptureSocket::open(const std::string& interface) {
  Fd fd(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return os_fail("open a socket to capture frames", errno);
  if (!set(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, kBufferBytes)) {
    set(fd.get(), SOL_SOCKET, SO_RCVBUF, kBufferBytes);
  }
  // Only from the moment that it is bound does it hear, and then of this interface alone.
  if (Status bound = bind_to_wire(fd.get(), interface, ETH_P_ALL); !bound) {
    return pass(std::move(bound));
  }
  return CaptureSocket(std::move(fd));
}

std::optional<ByteView> CaptureSocket::next() {
  for (;;) {
    sockaddr_ll from{};
    socklen_t size = sizeof from;
    const ssize_t got = recvfrom(fd_.get(), room_.data(), room_.size(), 0,
                                 reinterpret_cast<sockaddr*>(&from), &size);
    if (got < 0 && errno == EINTR) continue;
    // An interface that goes down is told once; frames that came before it still wait.
    if (got < 0 && errno == ENETDOWN) continue;
    if (got < 0) return std::nullopt;
    if (from.sll_pkttype != PACKET_OUTGOING) {
      return ByteView(room_.data(), static_cast<std::size_t>(got));
    }
  }
}

std::uint64_t CaptureSocket::take_lost() {
  tpacket_stats statistics{};
  socklen_t size = sizeof statistics;
  if (getsockopt(fd_.get(), SOL_PACKET, PACKET_STATISTICS, &statistics, &size) != 0) return 0;
  return statistics.tp_drops;
}

Result<std::array<std::uint8_t, 6>> hardware_address(const std::string& interface) {
  ifreq request{};
  if (interface.size() >= sizeof request.ifr_name) {
    return fail(ErrorCode::InvalidArgument, fmt::format("there is no interface {}", interface));
  }
  const Fd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  std::copy(interface.begin(), interface.end(), request.ifr_name);
  if (!fd || ioctl(fd.get(), SIOCGIFHWADDR, &request) != 0) {
    return os_fail(fmt::format("read the hardware address of {}", interface), errno);
  }
  std::array<std::uint8_t, 6> address{};
  std::memcpy(address.data(), request.ifr_hwaddr.sa_data, address.size());
  return address;
}

}  // namespace ginnel::os
