#include "os/descriptor_channel.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cstring>

#include "os/os_error.h"

namespace ginnel::os {
namespace {

// Room for one descriptor, aligned as the kernel wants it.
union ControlRoom {
  cmsghdr header;
  std::array<char, CMSG_SPACE(sizeof(int))> bytes;
};

}  // namespace

Result<std::pair<DescriptorChannel, DescriptorChannel>> DescriptorChannel::make() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return os_fail("make a channel between processes", errno);
  }
  return std::pair(DescriptorChannel(Fd(ends[0])), DescriptorChannel(Fd(ends[1])));
}

Status DescriptorChannel::send(std::string_view text, int handed_over) {
  text = text.substr(0, kMaxMessageBytes);
  iovec piece{.iov_base = const_cast<char*>(text.data()), .iov_len = text.size()};
  ControlRoom room{};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  if (handed_over >= 0) {
    message.msg_control = room.bytes.data();
    message.msg_controllen = room.bytes.size();
    cmsghdr* const control = CMSG_FIRSTHDR(&message);
    control->cmsg_level = SOL_SOCKET;
    control->cmsg_type = SCM_RIGHTS;
    control->cmsg_len = CMSG_LEN(sizeof handed_over);
    std::memcpy(CMSG_DATA(control), &handed_over, sizeof handed_over);
  }
  while (sendmsg(fd_.get(), &message, MSG_NOSIGNAL) < 0) {
    if (errno != EINTR) return os_fail("send to the other process", errno);
  }
  return ok();
}

std::optional<DescriptorChannel::Message> DescriptorChannel::receive() {
  std::array<char, kMaxMessageBytes> text;
  iovec piece{.iov_base = text.data(), .iov_len = text.size()};
  ControlRoom room{};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = room.bytes.data();
  message.msg_controllen = room.bytes.size();
  ssize_t size;
  while ((size = recvmsg(fd_.get(), &message, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR) {
  }
  if (size <= 0) return std::nullopt;
  Message received{.text = std::string(text.data(), static_cast<std::size_t>(size)), .fd = {}};
  const cmsghdr* const control = CMSG_FIRSTHDR(&message);
  if (control != nullptr && control->cmsg_type == SCM_RIGHTS) {
    int number;
    std::memcpy(&number, CMSG_DATA(control), sizeof number);
    received.fd = Fd(number);
  }
  return received;
}

}  // namespace ginnel::os
