#include "os/udp_pair.h"

#include "base/check.h"

namespace ginnel::os {
namespace {

UdpOptions options_for(const UdpListenOptions& options, const net::Address& address,
                       std::uint16_t port) {
  UdpOptions socket = options.socket;
  socket.address = address;
  socket.port = port;
  return socket;
}

// What a kernel without IPv6, or with IPv6 switched off, answers.
bool lacks_family(const Error& error) {
  return error.code == ErrorCode::Unsupported || error.code == ErrorCode::InvalidArgument;
}

}  // namespace

Result<std::vector<UdpPair>> UdpPair::bind(const UdpListenOptions& options) {
  CHECK(options.pairs >= 1 && options.pairs <= kMaxPairs);
  auto first = bind_one(options, options.pairs > 1 ? PortSharing::First : PortSharing::Exclusive);
  if (!first) return pass(std::move(first));
  UdpListenOptions same_port = options;
  same_port.port = first->port();
  std::vector<UdpPair> pairs;
  pairs.push_back(std::move(*first));
  while (pairs.size() < options.pairs) {
    auto next = bind_one(same_port, PortSharing::Joining);
    if (!next) return pass(std::move(next));
    pairs.push_back(std::move(*next));
  }
  if (options.choice && pairs.size() > 1) {
    for (const UdpSocket* const socket : {pairs.front().v4(), pairs.front().v6()}) {
      if (socket == nullptr) continue;
      choose_sockets(socket->fd(), *options.choice, static_cast<std::uint32_t>(pairs.size()));
    }
  }
  return pairs;
}

Result<UdpPair> UdpPair::bind_one(const UdpListenOptions& options, PortSharing sharing) {
  if (options.address && !options.address->is_unspecified()) {
    auto socket = UdpSocket::bind(options_for(options, *options.address, options.port), sharing);
    if (!socket) return pass(std::move(socket));
    if (options.address->is_v4()) return UdpPair(std::move(*socket), nullptr);
    return UdpPair(nullptr, std::move(*socket));
  }
  for (int attempt = 1;; ++attempt) {
    auto v4 = UdpSocket::bind(
        options_for(options, net::Address::any(net::Family::V4), options.port), sharing);
    if (!v4) return pass(std::move(v4));
    auto v6 = UdpSocket::bind(
        options_for(options, net::Address::any(net::Family::V6), (*v4)->local_port()), sharing);
    if (v6) return UdpPair(std::move(*v4), std::move(*v6));
    if (lacks_family(v6.error())) return UdpPair(std::move(*v4), nullptr);
    const bool may_choose = options.port == 0 && v6.error().code == ErrorCode::AlreadyExists;
    if (!may_choose || attempt == kMaxPortTries) return pass(std::move(v6));
  }
}

Result<UdpPair> UdpPair::duplicate() const {
  UdpPair copy(nullptr, nullptr);
  for (const auto& [from, to] : {std::pair(v4(), &copy.v4_), std::pair(v6(), &copy.v6_)}) {
    if (from == nullptr) continue;
    auto socket = from->duplicate();
    if (!socket) return pass(std::move(socket));
    *to = std::move(*socket);
  }
  return copy;
}

void UdpPair::send(std::span<const net::Datagram> datagrams) {
  while (!datagrams.empty()) {
    const net::Family family = datagrams[0].path->remote.address.family();
    std::size_t length = 1;
    while (length < datagrams.size() && datagrams[length].path->remote.address.family() == family) {
      ++length;
    }
    UdpSocket* const socket = of(family) != nullptr ? of(family) : v4_ ? v4() : v6();
    socket->send(datagrams.first(length));
    datagrams = datagrams.subspan(length);
  }
}

Status UdpPair::set_fwmark(std::uint32_t fwmark) {
  for (UdpSocket* const socket : {v4(), v6()}) {
    if (socket == nullptr) continue;
    if (Status set = socket->set_fwmark(fwmark); !set) return set;
  }
  return ok();
}

}  // namespace ginnel::os
