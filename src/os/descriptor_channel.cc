#include "os/descriptor_channel.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>

#include "os/descriptor_room.h"
#include "os/os_error.h"

namespace ginnel::os {

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
  DescriptorRoom room;
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  if (handed_over >= 0) room.attach(handed_over, message);
  while (sendmsg(fd_.get(), &message, MSG_NOSIGNAL) < 0) {
    if (errno != EINTR) return os_fail("send to the other process", errno);
  }
  return ok();
}

std::optional<DescriptorChannel::Message> DescriptorChannel::receive() {
  std::array<char, kMaxMessageBytes> text;
  iovec piece{.iov_base = text.data(), .iov_len = text.size()};
  DescriptorRoom room;
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  room.lend(message);
  ssize_t size;
  while ((size = recvmsg(fd_.get(), &message, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR) {
  }
  if (size <= 0) return std::nullopt;
  return Message{.text = std::string(text.data(), static_cast<std::size_t>(size)),
                 .fd = DescriptorRoom::take(message)};
}

}  // namespace ginnel::os
