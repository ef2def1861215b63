// Two tunnels of this process, each in a namespace of its own, joined by a veth pair. Needs root.
#pragma once

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "service/tunnel/tunnel.h"
#include "unit/os/test_network.h"

namespace ginnel::tunnel {

inline constexpr std::size_t kMtu = 1420;

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

// The inner address of an end: 10.9.0.END or fd09::END.
inline SocketAddress inner(bool v6, int end, std::uint16_t port) {
  SocketAddress address;
  if (v6) {
    sockaddr_in6 in{.sin6_family = AF_INET6, .sin6_port = htons(port)};
    inet_pton(AF_INET6, fmt::format("fd09::{}", end).c_str(), &in.sin6_addr);
    std::memcpy(&address.storage, &in, address.size = sizeof in);
  } else {
    sockaddr_in in{.sin_family = AF_INET, .sin_port = htons(port)};
    inet_pton(AF_INET, fmt::format("10.9.0.{}", end).c_str(), &in.sin_addr);
    std::memcpy(&address.storage, &in, address.size = sizeof in);
  }
  return address;
}

inline os::Fd bound(bool v6, int type, int end, std::uint16_t port) {
  os::Fd fd(socket(v6 ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC, 0));
  const timeval patience{.tv_sec = 20, .tv_usec = 0};
  EXPECT_EQ(setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
  EXPECT_EQ(setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience), 0);
  const int buffer = 4 << 20;
  EXPECT_EQ(setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer), 0);
  EXPECT_EQ(setsockopt(fd.get(), SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof buffer), 0);
  const int again = 1;  // Streams of the variant before may linger.
  EXPECT_EQ(setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &again, sizeof again), 0);
  SocketAddress address = inner(v6, end, port);
  EXPECT_EQ(bind(fd.get(), address.get(), address.size), 0);
  return fd;
}

// Two namespaces, a veth pair, and the tunnel of one variant between them.
class Ends {
 public:
  Ends() { os::join_by_veth(space_[0], space_[1]); }

  // `outside` is the family of the datagrams between them.
  void start(const TunnelOptions& options, net::Family outside = net::Family::V4) {
    const bool v4 = outside == net::Family::V4;
    const std::array<const char*, 2> hosts{v4 ? "192.0.2.1" : "2001:db8::1",
                                           v4 ? "192.0.2.2" : "2001:db8::2"};
    std::array<crypto::PrivateKey, 2> keys{crypto::PrivateKey::generate(rng_),
                                           crypto::PrivateKey::generate(rng_)};
    for (std::size_t i = 0; i < 2; ++i) {
      const os::Namespace::Inside inside(space_[i]);
      TunnelOptions mine = options;
      mine.interface = "inner";
      auto started = Tunnel::start(std::move(mine));
      ASSERT_TRUE(started) << started.error().message;
      tunnel_[i] = std::move(*started);
      wg::PeerChange peer{.public_key = keys[1 - i].public_key()};
      peer.endpoint = net::Endpoint{*net::Address::parse(hosts[1 - i]), 4000};
      for (const char* prefix : {"10.9.0.0/24", "fd09::/64"}) {
        peer.allowed_ips.push_back({.prefix = *net::Prefix::parse(prefix)});
      }
      wg::DeviceChange change;
      change.private_key = keys[i].duplicate();
      change.listen_port = 4000;
      change.peers.push_back(std::move(peer));
      ASSERT_TRUE(tunnel_[i]->configure(std::move(change)));
      os::Namespace::shell("ip link set inner up");
      os::Namespace::add_address(fmt::format("10.9.0.{}/24", i + 1), "inner");
      os::Namespace::add_address(fmt::format("fd09::{}/64", i + 1), "inner");
    }
  }
  void stop() { tunnel_ = {}; }

  // A socket of end 1 or 2.
  os::Fd open(bool v6, int type, int end, std::uint16_t port) {
    const os::Namespace::Inside inside(space_[static_cast<std::size_t>(end - 1)]);
    return bound(v6, type, end, port);
  }

 private:
  std::array<os::Namespace, 2> space_;
  os::SystemRng rng_;
  std::array<std::unique_ptr<Tunnel>, 2> tunnel_;
};

}  // namespace ginnel::tunnel
