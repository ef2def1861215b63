#include "handshakes/wire.h"

#include <poll.h>
#include <time.h>

#include "base/check.h"
#include "os/socket_address.h"

namespace ginnel::handshakes {
namespace {

constexpr std::size_t kMaxMessages = 64;

// The source address of one message.
struct alignas(cmsghdr) Source {
  std::array<std::uint8_t, CMSG_SPACE(sizeof(in_pktinfo))> bytes{};

  explicit Source(const net::Address& from) {
    const cmsghdr header{.cmsg_len = CMSG_LEN(sizeof(in_pktinfo)),
                         .cmsg_level = IPPROTO_IP,
                         .cmsg_type = IP_PKTINFO};
    const in_pktinfo info{.ipi_ifindex = 0, .ipi_spec_dst = os::to_in_addr(from), .ipi_addr = {}};
    std::memcpy(bytes.data(), &header, sizeof header);
    std::memcpy(&bytes[CMSG_LEN(0)], &info, sizeof info);
  }
};

}  // namespace

Duration cpu_time_of(int process) {
  clockid_t clock{};
  timespec time{};
  CHECK(clock_getcpuclockid(process, &clock) == 0 && clock_gettime(clock, &time) == 0);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

Wire::Wire(const net::Endpoint& to, std::uint16_t port)
    : to_(to), fd_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
  const int bytes = 8 << 20;
  CHECK(setsockopt(fd_.get(), SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes) == 0);
  CHECK(setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) == 0);
  os::SocketAddress own;
  const socklen_t size = os::to_socket_address({net::Address::any(net::Family::V4), port}, own);
  CHECK(bind(fd_.get(), &own.base, size) == 0);
}

bool Wire::send(ByteView datagram, const net::Address& from) {
  return send_many({&datagram, 1}, {&from, 1}) == 1;
}

std::size_t Wire::send_many(std::span<const ByteView> datagrams,
                            std::span<const net::Address> from) {
  CHECK(datagrams.size() <= kMaxMessages && datagrams.size() == from.size());
  os::SocketAddress name;
  const socklen_t name_size = os::to_socket_address(to_, name);
  std::array<mmsghdr, kMaxMessages> messages{};
  std::array<iovec, kMaxMessages> pieces;
  std::vector<Source> sources;
  sources.reserve(datagrams.size());
  for (std::size_t i = 0; i < datagrams.size(); ++i) {
    pieces[i] = {const_cast<std::uint8_t*>(datagrams[i].data()), datagrams[i].size()};
    Source& source = sources.emplace_back(from[i]);
    messages[i].msg_hdr = {.msg_name = &name,
                           .msg_namelen = name_size,
                           .msg_iov = &pieces[i],
                           .msg_iovlen = 1,
                           .msg_control = source.bytes.data(),
                           .msg_controllen = source.bytes.size(),
                           .msg_flags = 0};
  }
  const int sent = sendmmsg(fd_.get(), messages.data(), static_cast<unsigned>(datagrams.size()), 0);
  return sent > 0 ? static_cast<std::size_t>(sent) : 0;
}

ByteView Wire::receive(MonoTime deadline) {
  for (;;) {
    const ssize_t size = recv(fd_.get(), received_.data(), received_.size(), 0);
    if (size > 0) return {received_.data(), static_cast<std::size_t>(size)};
    const Duration left = deadline - clock_.mono();
    if (left <= Duration{}) return {};
    const auto seconds = std::chrono::floor<std::chrono::seconds>(left);
    const timespec patience{.tv_sec = seconds.count(), .tv_nsec = (left - seconds).count()};
    pollfd waiting{.fd = fd_.get(), .events = POLLIN, .revents = 0};
    ppoll(&waiting, 1, &patience, nullptr);
  }
}

}  // namespace ginnel::handshakes
