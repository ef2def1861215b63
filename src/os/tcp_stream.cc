#include "os/tcp_stream.h"

#include <errno.h>
#include <fmt/format.h>
#include <sys/socket.h>

#include "os/os_error.h"
#include "os/socket_address.h"

namespace ginnel::os {
namespace {

// A socket whose calls give up after kPatience; connect() and accept() among them.
Fd patient_socket(net::Family family) {
  Fd fd(socket(socket_family(family), SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval patience{
      .tv_sec = std::chrono::duration_cast<std::chrono::seconds>(TcpStream::kPatience).count(),
      .tv_usec = 0};
  for (const int option : {SO_RCVTIMEO, SO_SNDTIMEO}) {
    if (fd && setsockopt(fd.get(), SOL_SOCKET, option, &patience, sizeof patience) != 0) {
      fd.close();
    }
  }
  return fd;
}

std::unexpected<Error> failed(std::string_view what, int number) {
  if (number == EAGAIN || number == EWOULDBLOCK || number == EINPROGRESS) {
    return fail(ErrorCode::TimedOut, fmt::format("{}: nothing moved for 5 s", what));
  }
  return os_fail(what, number);
}

}  // namespace

Result<TcpStream> TcpStream::connect(const net::Endpoint& to) {
  const std::string what = fmt::format("connect to {} by TCP", to.to_string());
  Fd fd = patient_socket(to.address.family());
  if (!fd) return os_fail(what, errno);
  SocketAddress address;
  const socklen_t length = to_socket_address(to, address);
  if (::connect(fd.get(), &address.base, length) != 0) return failed(what, errno);
  return TcpStream(std::move(fd));
}

Result<std::size_t> TcpStream::send_some(ByteView bytes) {
  const ssize_t sent = send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (sent <= 0) return failed("send by TCP", errno);
  return static_cast<std::size_t>(sent);
}

Result<std::size_t> TcpStream::receive_some(ByteSpan into) {
  const ssize_t received = recv(fd_.get(), into.data(), into.size(), 0);
  if (received < 0) return failed("receive by TCP", errno);
  return static_cast<std::size_t>(received);
}

Result<TcpListener> TcpListener::bind(const net::Endpoint& at) {
  const std::string what = fmt::format("listen on {} by TCP", at.to_string());
  Fd fd = patient_socket(at.address.family());
  if (!fd) return os_fail(what, errno);
  SocketAddress address;
  socklen_t length = to_socket_address(at, address);
  if (::bind(fd.get(), &address.base, length) != 0 || listen(fd.get(), 1) != 0) {
    return os_fail(what, errno);
  }
  length = sizeof address;
  if (getsockname(fd.get(), &address.base, &length) != 0) return os_fail(what, errno);
  return TcpListener(std::move(fd), from_socket_address(address).port);
}

Result<TcpStream> TcpListener::accept() {
  Fd fd(accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!fd) return failed("accept by TCP", errno);
  return TcpStream(std::move(fd));
}

}  // namespace ginnel::os
