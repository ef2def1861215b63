#include "os/udp_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/sock_diag.h>
#include <netinet/udp.h>

#include "os/os_error.h"
#include "os/port_holder.h"
#include "os/socket_address.h"

namespace ginnel::os {
namespace {

bool set_option(int fd, int level, int name, int value) {
  return setsockopt(fd, level, name, &value, sizeof value) == 0;
}

std::string bind_text(const UdpOptions& options) {
  const std::string on = options.interface.empty() ? "" : " on " + options.interface;
  return fmt::format("bind UDP {}{}", net::Endpoint{options.address, options.port}.to_string(), on);
}

// What every datagram must tell, and how ours travel.
Status describe_datagrams(int fd, const UdpOptions& options) {
  const bool is_v4 = options.address.is_v4();
  const bool told =
      is_v4 ? set_option(fd, IPPROTO_IP, IP_PKTINFO, 1) &&
                  set_option(fd, IPPROTO_IP, IP_RECVTOS, 1) &&
                  // Routers may fragment: a WireGuard datagram that is too large must arrive late
                  // rather than never where the messages of path MTU discovery are filtered.
                  set_option(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT)
            : set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) &&
                  set_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1) &&
                  set_option(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
  if (!told) return os_fail(bind_text(options) + ": socket options", errno);
  return ok();
}

Status mark_packets(int fd, std::uint32_t fwmark) {
  if (setsockopt(fd, SOL_SOCKET, SO_MARK, &fwmark, sizeof fwmark) == 0) return ok();
  return os_fail(fmt::format("set firewall mark 0x{:x}", fwmark), errno,
                 errno == EPERM ? "it needs CAP_NET_ADMIN: run as root" : "");
}

// FORCE passes the administrator's limit, and needs CAP_NET_ADMIN; without, the limit it is.
void size_buffer(int fd, int forced_name, int name, int bytes) {
  bytes = std::clamp(bytes, 1, kMaxSocketBufferBytes);
  if (!set_option(fd, SOL_SOCKET, forced_name, bytes)) set_option(fd, SOL_SOCKET, name, bytes);
}

Status attach(int fd, const UdpOptions& options) {
  if (!options.interface.empty() &&
      setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, options.interface.c_str(),
                 static_cast<socklen_t>(options.interface.size())) != 0) {
    return os_fail(
        bind_text(options), errno,
        errno == ENODEV ? fmt::format("there is no interface {}", options.interface) : "");
  }
  if (options.before_address) allow_missing_address(fd, options.address.family());
  SocketAddress address;
  const socklen_t length = to_socket_address({options.address, options.port}, address);
  if (::bind(fd, &address.base, length) == 0) return ok();
  const int error = errno;
  switch (error) {
    case EADDRINUSE:
      return os_fail(bind_text(options), error,
                     fmt::format("{}; stop that or choose another port",
                                 describe_holder(Transport::Udp, options.port)));
    case EADDRNOTAVAIL:
      return os_fail(bind_text(options), error, "no interface of this host has that address");
    case EACCES:
      return os_fail(bind_text(options), error,
                     "a port below 1024 needs CAP_NET_BIND_SERVICE: run as root");
    default:
      return os_fail(bind_text(options), error);
  }
}

std::uint16_t port_of(int fd) {
  SocketAddress address{};
  socklen_t length = sizeof address;
  if (getsockname(fd, &address.base, &length) != 0) return 0;
  return from_socket_address(address).port;
}

bool can_join(int fd) {
  int segment = 0;
  socklen_t length = sizeof segment;
  return getsockopt(fd, SOL_UDP, UDP_SEGMENT, &segment, &length) == 0;
}

}  // namespace

UdpSocket::UdpSocket(Fd fd, const UdpOptions& options, bool gro, std::uint16_t port)
    : fd_(std::move(fd)),
      options_(options),
      family_(options.address.family()),
      port_(port),
      gro_(gro),
      sender_({.fd = fd_.get(),
               .family = family_,
               .gso = options.gso.of(family_) && can_join(fd_.get()),
               .fwmark = options.fwmark,
               .interface = options.interface},
              options.system != nullptr ? *options.system : real_system_, *counters_) {}

Result<std::unique_ptr<UdpSocket>> UdpSocket::bind(const UdpOptions& options, PortSharing sharing) {
  const int family = socket_family(options.address.family());
  Fd fd(socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return os_fail(bind_text(options), errno);
  if (Status told = describe_datagrams(fd.get(), options); !told) return pass(std::move(told));
  if (options.fwmark != 0) {
    if (Status marked = mark_packets(fd.get(), options.fwmark); !marked) {
      return pass(std::move(marked));
    }
  }
  size_buffer(fd.get(), SO_RCVBUFFORCE, SO_RCVBUF, options.receive_buffer_bytes);
  size_buffer(fd.get(), SO_SNDBUFFORCE, SO_SNDBUF, options.send_buffer_bytes);
  const bool wants_gro = options.gro.of(options.address.family());
  const bool gro = wants_gro && set_option(fd.get(), SOL_UDP, UDP_GRO, 1);

  if (sharing == PortSharing::Joining) set_option(fd.get(), SOL_SOCKET, SO_REUSEPORT, 1);
  if (Status attached = attach(fd.get(), options); !attached) return pass(std::move(attached));
  // Only after binding: a second server would otherwise join too, and take half of the datagrams.
  if (sharing == PortSharing::First) set_option(fd.get(), SOL_SOCKET, SO_REUSEPORT, 1);
  const std::uint16_t port = port_of(fd.get());
  return std::unique_ptr<UdpSocket>(new UdpSocket(std::move(fd), options, gro, port));
}

Result<std::unique_ptr<UdpSocket>> UdpSocket::duplicate() const {
  Fd fd(fcntl(fd_.get(), F_DUPFD_CLOEXEC, 0));
  if (!fd) return os_fail(fmt::format("duplicate the socket of UDP port {}", port_), errno);
  return std::unique_ptr<UdpSocket>(new UdpSocket(std::move(fd), options_, gro_, port_));
}

std::size_t UdpSocket::receive(ReceiveBatch& batch, std::size_t messages) {
  const std::span<mmsghdr> into = batch.prepare(messages);
  UdpSystem& system = options_.system != nullptr ? *options_.system : real_system_;
  const int received =
      system.receive_messages(fd_.get(), into.data(), static_cast<unsigned>(into.size()));
  if (received <= 0) {
    if (received < 0 && received != -EAGAIN && received != -EINTR) {
      counters_->add(UdpCount::ReceiveFailed);
    }
    return 0;
  }
  batch.take(static_cast<std::size_t>(received), *counters_);
  sender_.note_received(batch.paths());
  return batch.datagrams().size();
}

Status UdpSocket::set_fwmark(std::uint32_t fwmark) {
  if (Status marked = mark_packets(fd_.get(), fwmark); !marked) return marked;
  options_.fwmark = fwmark;
  sender_.set_fwmark(fwmark);
  return ok();
}

std::uint64_t UdpSocket::receive_overflows() const {
  std::array<std::uint32_t, SK_MEMINFO_VARS> info{};
  socklen_t length = sizeof info;
  if (getsockopt(fd_.get(), SOL_SOCKET, SO_MEMINFO, info.data(), &length) != 0) return 0;
  return info[SK_MEMINFO_DROPS];
}

}  // namespace ginnel::os
