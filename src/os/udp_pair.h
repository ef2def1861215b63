// The UDP sockets of one port: one for each address family that this host has.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "os/socket_choice.h"
#include "os/udp_socket.h"

namespace ginnel::os {

struct UdpListenOptions {
  // Absent or unspecified (0.0.0.0 or ::): every address of both families. Another one: that one.
  std::optional<net::Address> address{};
  std::uint16_t port = 0;  // 0: one that is free in both families.
  std::size_t pairs = 1;   // One for each thread.
  UdpOptions socket{};     // All but address and port.
  // Which pair gets what. Absent, or where the kernel cannot: endpoints are spread over them.
  std::optional<SocketChoice> choice{};
};

// Used by one thread, as its sockets are.
class UdpPair {
 public:
  static constexpr std::size_t kMaxPairs = 256;
  // How often a port that is free in one family and taken in the other is given back for another.
  static constexpr int kMaxPortTries = 16;

  // All pairs have the same port; the kernel gives each thread the datagrams of its share of the
  // endpoints. A host without IPv6 gets IPv4 alone. When another program has the port, the error
  // names it. REQUIRES: 1 <= pairs <= kMaxPairs.
  static Result<std::vector<UdpPair>> bind(const UdpListenOptions& options);
  // The same sockets for another thread, which should only send.
  Result<UdpPair> duplicate() const;

  // Each datagram goes out of the socket of its family; without one it is counted as
  // SendWrongFamily by the other. Otherwise as UdpSocket::send.
  void send(std::span<const net::Datagram> datagrams);
  Status set_fwmark(std::uint32_t fwmark);

  // Null when absent; never both.
  UdpSocket* v4() const { return v4_.get(); }
  UdpSocket* v6() const { return v6_.get(); }
  UdpSocket* of(net::Family family) const { return family == net::Family::V4 ? v4() : v6(); }
  std::uint16_t port() const { return (v4_ ? *v4_ : *v6_).local_port(); }

 private:
  UdpPair(std::unique_ptr<UdpSocket> v4, std::unique_ptr<UdpSocket> v6)
      : v4_(std::move(v4)), v6_(std::move(v6)) {}
  static Result<UdpPair> bind_one(const UdpListenOptions& options, PortSharing sharing);

  std::unique_ptr<UdpSocket> v4_;
  std::unique_ptr<UdpSocket> v6_;
};

}  // namespace ginnel::os
