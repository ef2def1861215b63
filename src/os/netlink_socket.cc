#include "os/netlink_socket.h"

#include <errno.h>
#include <fmt/format.h>
#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "os/fail_point.h"
#include "os/netlink_attribute.h"
#include "os/os_error.h"

namespace ginnel::os {
namespace {

constexpr int kMaxDumpAttempts = 16;
constexpr int kMaxErrno = 4095;  // As the kernel has it.
constexpr std::size_t kTransactionOverhead = 4096;

// Ours to raise with CAP_NET_ADMIN only; else as far as the host allows.
void set_send_buffer(const Fd& fd, int bytes) {
  if (::setsockopt(fd.get(), SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes) != 0) {
    ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
  }
}

// The text that the kernel attaches to a refusal, behind the (possibly capped) copy of the request.
std::string extended_text(const nlmsghdr& header, const nlmsgerr& refusal) {
  if (!(header.nlmsg_flags & NLM_F_ACK_TLVS)) return {};
  std::size_t skip = sizeof refusal;
  if (!(header.nlmsg_flags & NLM_F_CAPPED)) {
    skip += MNL_ALIGN(refusal.msg.nlmsg_len - sizeof(nlmsghdr));
  }
  std::string text;
  for_each_attribute(attributes_behind(header, skip), [&](int type, ByteView payload) {
    if (type == NLMSGERR_ATTR_MSG) text = read_text(payload);
  });
  return text;
}

// A dump that fails on its way says so where it ends. Nothing: it is whole.
std::optional<NetlinkRefusal> read_end(const nlmsghdr& header) {
  if (mnl_nlmsg_get_payload_len(&header) < sizeof(int)) return std::nullopt;
  int error = 0;
  std::memcpy(&error, mnl_nlmsg_get_payload(&header), sizeof error);
  if (error >= 0 || error < -kMaxErrno) return std::nullopt;
  return NetlinkRefusal{.sequence = header.nlmsg_seq, .number = -error};
}

// Reads an NLMSG_ERROR; number 0 is an acknowledgement.
std::optional<NetlinkRefusal> read_answer(const nlmsghdr& header) {
  if (header.nlmsg_type != NLMSG_ERROR) return std::nullopt;
  if (mnl_nlmsg_get_payload_len(&header) < sizeof(nlmsgerr)) return std::nullopt;
  const auto& refusal = *static_cast<const nlmsgerr*>(mnl_nlmsg_get_payload(&header));
  return NetlinkRefusal{.sequence = header.nlmsg_seq,
                        .number = refusal.error < 0 ? -refusal.error : refusal.error,
                        .reason = extended_text(header, refusal)};
}

}  // namespace

Error NetlinkRefusal::error(std::string_view what) const {
  // Of addresses and routes, and the one thing that the kernel calls so.
  if (number == EACCES && reason.find("IPv6 is disabled") != std::string::npos) {
    return {ErrorCode::Unsupported,
            fmt::format("{}: IPv6 is switched off here; leave IPv6 out, or switch it on with "
                        "\"sysctl -w net.ipv6.conf.all.disable_ipv6=0 "
                        "net.ipv6.conf.default.disable_ipv6=0\"",
                        what)};
  }
  Error error = os_error(what, number, number == EPERM ? "it needs CAP_NET_ADMIN" : "");
  if (!reason.empty()) error.message += fmt::format(" ({})", reason);
  return error;
}

Result<NetlinkSocket> NetlinkSocket::open(int protocol) {
  Fd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol));
  if (!fd) return os_fail("open a netlink socket", errno);
  sockaddr_nl local{};
  local.nl_family = AF_NETLINK;
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&local), sizeof local) != 0) {
    return os_fail("bind a netlink socket", errno);
  }
  // Better texts and shorter answers; an older kernel does without.
  const int on = 1;
  ::setsockopt(fd.get(), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
  ::setsockopt(fd.get(), SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
  set_send_buffer(fd, kUsualTransaction);
  return NetlinkSocket(std::move(fd));
}

Result<NetlinkSocket> NetlinkSocket::adopt(Fd fd) {
  NetlinkSocket socket(std::move(fd));
  // Answers to others, which would be taken for answers to us: we number from 1 again.
  for (;;) {
    const auto left = socket.receive(Wait::No);
    if (!left) return std::unexpected(left.error());
    if (left->empty()) return socket;
  }
}

Status NetlinkSocket::send(ByteView bytes) {
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  for (;;) {
    const ssize_t sent = ::sendto(fd_.get(), bytes.data(), bytes.size(), 0,
                                  reinterpret_cast<const sockaddr*>(&kernel), sizeof kernel);
    if (sent >= 0) return ok();
    if (errno != EINTR) return os_fail("send to the kernel over netlink", errno);
  }
}

Result<ByteView> NetlinkSocket::receive(Wait wait) {
  for (;;) {
    sockaddr_nl from{};
    iovec place{buffer_.data(), buffer_.size()};
    msghdr message{};
    message.msg_name = &from;
    message.msg_namelen = sizeof from;
    message.msg_iov = &place;
    message.msg_iovlen = 1;
    const ssize_t size = ::recvmsg(fd_.get(), &message, wait == Wait::Yes ? 0 : MSG_DONTWAIT);
    if (size < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN) return ByteView();
      return os_fail("receive from the kernel over netlink", errno);
    }
    if (from.nl_pid != 0) continue;  // Any process may send to us; only the kernel's word counts.
    if (message.msg_flags & MSG_TRUNC) {
      return fail(ErrorCode::Io, "netlink: the kernel sent a message longer than 128 KiB");
    }
    return ByteView(buffer_.data(), static_cast<std::size_t>(size));
  }
}

Status NetlinkSocket::request(nlmsghdr& message, std::string_view what) {
  return query(message, what, [](const nlmsghdr&) {});
}

Status NetlinkSocket::query(nlmsghdr& message, std::string_view what, const Message& each) {
  message.nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
  message.nlmsg_seq = next_sequence();
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(&message);
  fail_point();
  if (Status sent = send({bytes, message.nlmsg_len}); !sent) return sent;
  fail_point();
  for (;;) {
    auto datagram = receive(Wait::Yes);
    if (!datagram) return pass(std::move(datagram));
    std::optional<NetlinkRefusal> answer;
    for_each_message(*datagram, [&](const nlmsghdr& header) {
      if (header.nlmsg_seq != message.nlmsg_seq || answer) return;
      answer = read_answer(header);
      if (!answer && header.nlmsg_type >= NLMSG_MIN_TYPE) each(header);
    });
    if (!answer) continue;  // The tail of an earlier conversation.
    if (answer->number == 0) return ok();
    return std::unexpected(answer->error(what));
  }
}

Status NetlinkSocket::dump(nlmsghdr& message, std::string_view what,
                           const std::function<void()>& restart, const Message& each) {
  message.nlmsg_flags |= NLM_F_REQUEST | NLM_F_DUMP;
  for (int attempt = 0; attempt < kMaxDumpAttempts; ++attempt) {
    message.nlmsg_seq = next_sequence();
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(&message);
    if (Status sent = send({bytes, message.nlmsg_len}); !sent) return sent;
    auto end = read_dump(message.nlmsg_seq, what, each);
    if (!end) return pass(std::move(end));
    if (*end == DumpEnd::Complete) return ok();
    restart();
  }
  return fail(ErrorCode::Unavailable,
              fmt::format("{}: it changes faster than it can be read; try again", what));
}

Result<NetlinkSocket::DumpEnd> NetlinkSocket::read_dump(std::uint32_t sequence,
                                                        std::string_view what,
                                                        const Message& each) {
  bool torn = false;
  for (;;) {
    auto datagram = receive(Wait::Yes);
    if (!datagram) return pass(std::move(datagram));
    bool done = false;
    std::optional<NetlinkRefusal> refusal;
    for_each_message(*datagram, [&](const nlmsghdr& header) {
      if (header.nlmsg_seq != sequence || done) return;
      torn |= (header.nlmsg_flags & NLM_F_DUMP_INTR) != 0;
      if (header.nlmsg_type == NLMSG_DONE) {
        refusal = read_end(header);
        done = true;
      } else if (header.nlmsg_type == NLMSG_ERROR) {
        refusal = read_answer(header);
        done = true;
      } else if (header.nlmsg_type >= NLMSG_MIN_TYPE) {
        each(header);
      }
    });
    if (refusal && refusal->number == EINTR) torn = true;
    if (refusal && refusal->number != 0 && refusal->number != EINTR) {
      return std::unexpected(refusal->error(what));
    }
    if (done) return torn ? DumpEnd::Torn : DumpEnd::Complete;
  }
}

// The kernel runs a transaction inside the send, so that every answer waits when it returns.
Result<std::vector<NetlinkRefusal>> NetlinkSocket::transact(ByteView messages,
                                                            std::uint32_t acknowledged) {
  if (messages.size() > kMaxTransaction) {
    return fail(ErrorCode::Exhausted,
                fmt::format("nf_tables: a transaction of {} bytes, over {}; have fewer rules",
                            messages.size(), kMaxTransaction));
  }
  if (messages.size() > kUsualTransaction) {
    set_send_buffer(fd_, static_cast<int>(messages.size() + kTransactionOverhead));
  }
  fail_point();
  if (Status sent = send(messages); !sent) return pass(std::move(sent));
  fail_point();
  std::vector<NetlinkRefusal> refusals;
  bool answered = false;
  for (;;) {
    auto datagram = receive(Wait::No);
    if (!datagram) return pass(std::move(datagram));
    if (datagram->empty()) break;
    for_each_message(*datagram, [&](const nlmsghdr& header) {
      auto answer = read_answer(header);
      if (!answer) return;
      answered |= answer->sequence == acknowledged;
      if (answer->number != 0) refusals.push_back(std::move(*answer));
    });
  }
  if (!answered && refusals.empty()) {
    return fail(ErrorCode::Unsupported, "nf_tables: the kernel did not answer; it needs nf_tables");
  }
  return refusals;
}

}  // namespace ginnel::os
