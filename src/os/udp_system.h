// The system calls of the UDP path behind an interface, so that tests can make them fail. The real
// one is LinuxUdpSystem.
#pragma once

#include <cstdint>
#include <string>

#include "net/endpoint.h"

struct mmsghdr;

namespace ginnel::os {

class UdpSystem {
 public:
  virtual ~UdpSystem() = default;

  // As sendmmsg() and recvmmsg() without waiting, but a failure is the negated errno.
  virtual int send_messages(int fd, mmsghdr* messages, unsigned count) = 0;
  virtual int receive_messages(int fd, mmsghdr* messages, unsigned count) = 0;

  struct Route {
    net::Endpoint remote{};
    std::uint32_t fwmark = 0;
    std::string interface{};  // Empty: the routing table decides.
  };
  // The MTU of the way there as the kernel knows it; 0 when it does not say.
  virtual unsigned mtu_of(const Route& route) = 0;
};

class LinuxUdpSystem final : public UdpSystem {
 public:
  int send_messages(int fd, mmsghdr* messages, unsigned count) override;
  int receive_messages(int fd, mmsghdr* messages, unsigned count) override;
  unsigned mtu_of(const Route& route) override;
};

}  // namespace ginnel::os
