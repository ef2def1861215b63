#include "os/connected_socket.h"

#include <errno.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include "os/os_error.h"
#include "os/port_holder.h"
#include "os/socket_address.h"

namespace ginnel::os {
namespace {

bool set_option(int fd, int level, int name, int value) {
  return setsockopt(fd, level, name, &value, sizeof value) == 0;
}

bool bind_to_interface(int fd, const std::string& interface) {
  return interface.empty() || setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface.c_str(),
                                         static_cast<socklen_t>(interface.size())) == 0;
}

bool bind_to(int fd, const net::Endpoint& at) {
  SocketAddress address;
  const socklen_t length = to_socket_address(at, address);
  return bind(fd, &address.base, length) == 0;
}

bool leave_from(int fd, net::Family family, const SocketOrigin& origin) {
  if (!bind_to_interface(fd, origin.interface)) return false;
  if (origin.fwmark != 0 &&
      setsockopt(fd, SOL_SOCKET, SO_MARK, &origin.fwmark, sizeof origin.fwmark) != 0) {
    return false;
  }
  const bool has_address = origin.address && origin.address->family() == family;
  return !has_address || bind_to(fd, {.address = *origin.address});
}

Result<Fd> connect_socket(const net::Endpoint& to, int type, const SocketOrigin& origin) {
  const std::string what =
      fmt::format("reach {} by {}", to.to_string(), type == SOCK_STREAM ? "TCP" : "UDP");
  const net::Family family = to.address.family();
  Fd fd(socket(socket_family(family), type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd || !leave_from(fd.get(), family, origin)) return os_fail(what, errno);
  SocketAddress address;
  const socklen_t length = to_socket_address(to, address);
  if (connect(fd.get(), &address.base, length) != 0 && errno != EINPROGRESS) {
    return os_fail(what, errno);
  }
  return fd;
}

std::string remedy_for_listening(int error, std::uint16_t port) {
  switch (error) {
    case EADDRINUSE:
      return describe_holder(Transport::Tcp, port) + "; stop that or choose another port";
    case EACCES:
      return "choose a port from 1024 on, or be root";
    case EADDRNOTAVAIL:
      return "no interface of this host has that address";
    default:
      return {};
  }
}

}  // namespace

Result<Fd> connect_datagrams(const net::Endpoint& to, const SocketOrigin& origin) {
  return connect_socket(to, SOCK_DGRAM, origin);
}

Status send_datagram(int fd, ByteView bytes) {
  if (send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) >= 0) return ok();
  return os_fail("send a datagram", errno);
}

Result<std::optional<ByteView>> receive_datagram(int fd, ByteSpan room) {
  const ssize_t received = recv(fd, room.data(), room.size(), 0);
  if (received >= 0) {
    return std::optional<ByteView>(room.first(static_cast<std::size_t>(received)));
  }
  if (errno == EAGAIN || errno == EINTR) return std::optional<ByteView>();
  return os_fail("receive a datagram", errno);
}

Result<Fd> begin_stream(const net::Endpoint& to, const SocketOrigin& origin) {
  auto fd = connect_socket(to, SOCK_STREAM, origin);
  if (fd) set_option(fd->get(), IPPROTO_TCP, TCP_NODELAY, 1);
  return fd;
}

Status finish_connecting(int fd, Duration patience) {
  const auto limit = std::chrono::duration_cast<std::chrono::milliseconds>(patience);
  pollfd watched{.fd = fd, .events = POLLOUT, .revents = 0};
  const int count = poll(&watched, 1, static_cast<int>(limit.count()));
  int error = 0;
  socklen_t length = sizeof error;
  if (count > 0) getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
  if (count > 0 && error == 0) return ok();
  return os_fail("connect by TCP", count < 0 ? errno : error != 0 ? error : ETIMEDOUT);
}

Result<StreamListener> StreamListener::listen(const net::Endpoint& at, const Options& options) {
  const std::string what = fmt::format("listen on {} by TCP", at.to_string());
  Fd fd(socket(socket_family(at.address.family()), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd || !bind_to_interface(fd.get(), options.interface)) return os_fail(what, errno);
  if (options.before_address) allow_missing_address(fd.get(), at.address.family());
  // Connections that ended a moment ago must not keep the next service from starting.
  set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (!at.address.is_v4()) set_option(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1);
  if (!bind_to(fd.get(), at) || ::listen(fd.get(), kBacklog) != 0) {
    const int error = errno;
    return os_fail(what, error, remedy_for_listening(error, at.port));
  }
  SocketAddress address{};
  socklen_t length = sizeof address;
  if (getsockname(fd.get(), &address.base, &length) != 0) return os_fail(what, errno);
  return StreamListener(std::move(fd), from_socket_address(address).port);
}

Result<std::optional<StreamListener::Accepted>> StreamListener::accept() {
  SocketAddress address{};
  socklen_t length = sizeof address;
  Fd fd(accept4(fd_.get(), &address.base, &length, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!fd) {
    const bool is_over = errno == EAGAIN || errno == EINTR || errno == ECONNABORTED;
    if (is_over) return std::optional<Accepted>();
    return os_fail("accept a TCP connection", errno);
  }
  set_option(fd.get(), IPPROTO_TCP, TCP_NODELAY, 1);
  return std::optional<Accepted>(Accepted{std::move(fd), from_socket_address(address)});
}

}  // namespace ginnel::os
