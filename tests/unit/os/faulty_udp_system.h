// The UDP system calls with faults: each call is answered by the next of a list, or by the kernel
// of a host that has everything.
#pragma once

#include <errno.h>
#include <netinet/udp.h>

#include <deque>
#include <functional>
#include <vector>

#include "os/socket_address.h"
#include "os/udp_system.h"

namespace ginnel::os {

class FaultyUdpSystem final : public UdpSystem {
 public:
  // What a message looked like to the kernel.
  struct Message {
    std::size_t bytes = 0;
    bool is_joined = false;
    bool has_source = false;
    net::Endpoint remote{};
  };
  using Fault = std::function<int(const std::vector<Message>&)>;

  // The next call fails so, whatever it carries.
  void fail_next(int error) {
    faults.push_back([error](const auto&) { return -error; });
  }
  // The next call takes so many messages.
  void take_next(int count) {
    faults.push_back([count](const auto&) { return count; });
  }

  int send_messages(int, mmsghdr* messages, unsigned count) override;
  int receive_messages(int, mmsghdr* messages, unsigned count) override {
    return receive ? receive({messages, count}) : -EAGAIN;
  }
  unsigned mtu_of(const Route& route) override {
    asked.push_back(route);
    return mtu;
  }

  std::deque<Fault> faults;  // Used up first.
  Fault rule;                // Then this, if any; a positive answer takes all.
  unsigned mtu = 1500;
  std::function<int(std::span<mmsghdr>)> receive;

  std::vector<std::vector<Message>> calls;  // All of them.
  std::vector<Message> taken;               // What went out.
  std::vector<Route> asked;
};

inline FaultyUdpSystem::Message describe(const msghdr& header) {
  FaultyUdpSystem::Message message;
  for (std::size_t i = 0; i < header.msg_iovlen; ++i) message.bytes += header.msg_iov[i].iov_len;
  msghdr copy = header;
  for (cmsghdr* c = CMSG_FIRSTHDR(&copy); c != nullptr; c = CMSG_NXTHDR(&copy, c)) {
    message.is_joined |= c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_SEGMENT;
    message.has_source |= (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) ||
                          (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO);
  }
  SocketAddress name;
  std::memcpy(&name, header.msg_name, header.msg_namelen);
  message.remote = from_socket_address(name);
  return message;
}

inline int FaultyUdpSystem::send_messages(int, mmsghdr* messages, unsigned count) {
  std::vector<Message> call;
  for (unsigned i = 0; i < count; ++i) call.push_back(describe(messages[i].msg_hdr));
  calls.push_back(call);
  int answer = static_cast<int>(count);
  if (!faults.empty()) {
    answer = faults.front()(call);
    faults.pop_front();
  } else if (rule) {
    // As the kernel does: the messages before the first that it minds are taken.
    for (int i = 0; i < static_cast<int>(count); ++i) {
      if (const int error = rule({call[static_cast<std::size_t>(i)]}); error < 0) {
        answer = i == 0 ? error : i;
        break;
      }
    }
  }
  for (int i = 0; i < answer; ++i) taken.push_back(call[static_cast<std::size_t>(i)]);
  return answer;
}

}  // namespace ginnel::os
