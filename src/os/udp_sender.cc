#include "os/udp_sender.h"

#include <errno.h>
#include <netinet/udp.h>

#include "os/socket_address.h"

namespace ginnel::os {
namespace {

// Packet information, traffic class and segment size, of the larger family.
constexpr std::size_t kControlBytes =
    CMSG_SPACE(sizeof(in6_pktinfo)) + CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(std::uint16_t));

struct alignas(cmsghdr) Control {
  std::array<std::uint8_t, kControlBytes> bytes;
  std::size_t used = 0;

  template <class T>
  void add(int level, int type, const T& value) {
    cmsghdr header{};
    header.cmsg_level = level;
    header.cmsg_type = type;
    header.cmsg_len = CMSG_LEN(sizeof value);
    std::memcpy(&bytes[used], &header, sizeof header);
    std::memcpy(&bytes[used + CMSG_LEN(0)], &value, sizeof value);
    used += CMSG_SPACE(sizeof value);
  }
};

// The parts of a message that the kernel follows pointers to.
struct Envelope {
  SocketAddress name;
  Control control;
};

struct Content {
  std::span<iovec> pieces;
  const net::Datagram& first;
  bool is_joined = false;
  bool from_known_source = false;
};

void fill_message(const Content& content, Envelope& envelope, mmsghdr& message) {
  const net::PathAddress& path = *content.first.path;
  const bool is_v4 = path.remote.address.is_v4();
  Control& control = envelope.control;
  control.used = 0;
  if (content.from_known_source && is_v4) {
    // No interface: the route decides, which may have changed since.
    control.add(
        IPPROTO_IP, IP_PKTINFO,
        in_pktinfo{.ipi_ifindex = 0, .ipi_spec_dst = to_in_addr(path.local), .ipi_addr = {}});
  } else if (content.from_known_source) {
    control.add(IPPROTO_IPV6, IPV6_PKTINFO,
                in6_pktinfo{.ipi6_addr = to_in6_addr(path.local), .ipi6_ifindex = 0});
  }
  if (const int ecn = content.first.ecn & 3; ecn != 0) {
    control.add(is_v4 ? IPPROTO_IP : IPPROTO_IPV6, is_v4 ? IP_TOS : IPV6_TCLASS, ecn);
  }
  if (content.is_joined) {
    control.add(SOL_UDP, UDP_SEGMENT, static_cast<std::uint16_t>(content.first.bytes.size()));
  }
  message.msg_len = 0;
  message.msg_hdr = {.msg_name = &envelope.name,
                     .msg_namelen = to_socket_address(path.remote, envelope.name),
                     .msg_iov = content.pieces.data(),
                     .msg_iovlen = content.pieces.size(),
                     .msg_control = control.used > 0 ? control.bytes.data() : nullptr,
                     .msg_controllen = control.used,
                     .msg_flags = 0};
}

bool is_same_path(const net::Datagram& a, const net::Datagram& b) {
  return a.path == b.path || *a.path == *b.path;
}

iovec piece_of(ByteView bytes) {
  // The kernel only reads it; iovec has one type for both directions.
  return {const_cast<std::uint8_t*>(bytes.data()), bytes.size()};
}

// What kernels answer when the source address is not, or not any more, one of the host's. Each has
// other meanings as well; only a send without the source tells.
bool may_mean_gone_source(int error) {
  return error == EINVAL || error == EADDRNOTAVAIL || error == ENETUNREACH;
}

// EIO: the device, or IPsec on the way there, cannot make the checksums.
bool may_mean_not_joined(int error) { return error == EMSGSIZE || error == EINVAL || error == EIO; }

}  // namespace

struct UdpSender::Scratch {
  std::array<mmsghdr, kMaxMessages> messages;
  std::array<Envelope, kMaxMessages> envelopes;
  std::array<Run, kMaxMessages> runs;
  std::array<iovec, kMaxPieces> pieces;
  std::size_t message_count = 0;
  std::size_t piece_count = 0;
};

UdpSender::UdpSender(Options options, UdpSystem& system, UdpCounters& counters)
    : options_(std::move(options)),
      gso_(options_.gso),
      fwmark_(options_.fwmark),
      system_(system),
      counters_(counters) {}

UdpSender::~UdpSender() = default;

void UdpSender::send(std::span<const net::Datagram> datagrams) {
  if (!scratch_) scratch_ = std::make_unique<Scratch>();
  while (!datagrams.empty()) {
    datagrams = datagrams.subspan(pack(datagrams));
    if (!transmit()) {
      counters_.add(UdpCount::SendBufferFull, datagrams.size());
      return;
    }
  }
}

void UdpSender::note_received(std::span<const net::PathAddress> paths) {
  if (gone_.empty()) return;
  for (const net::PathAddress& path : paths) gone_.remove(path.local);
}

// Turns as many datagrams as fit into messages; returns how many it took.
std::size_t UdpSender::pack(std::span<const net::Datagram> datagrams) {
  Scratch& s = *scratch_;
  s.message_count = s.piece_count = 0;
  std::size_t next = 0;
  while (next < datagrams.size() && s.message_count < kMaxMessages && s.piece_count < kMaxPieces) {
    const auto rest = datagrams.subspan(next);
    if (rest[0].path->remote.address.family() != options_.family) {
      counters_.add(UdpCount::SendWrongFamily);
      ++next;
      continue;
    }
    const std::size_t first_piece = s.piece_count;
    const std::size_t length = take_run(rest);
    const Content content{
        .pieces = std::span(s.pieces).subspan(first_piece, s.piece_count - first_piece),
        .first = rest[0],
        .is_joined = length > 1,
        .from_known_source = knows_source(*rest[0].path)};
    fill_message(content, s.envelopes[s.message_count], s.messages[s.message_count]);
    s.runs[s.message_count++] = rest.first(length);
    next += length;
  }
  return next;
}

// Finds how many datagrams from the first on can go out as one message, and adds their memory. All
// but the last must be of one size.
std::size_t UdpSender::take_run(std::span<const net::Datagram> datagrams) {
  const net::Datagram& first = datagrams[0];
  const std::size_t segment = first.bytes.size();
  const std::size_t longest = std::min(max_segments_for(first), datagrams.size());
  const std::size_t first_piece = scratch_->piece_count;
  std::size_t total = 0, length = 0;
  while (length < longest) {
    const net::Datagram& datagram = datagrams[length];
    const std::size_t size = datagram.bytes.size();
    const bool may_follow = size > 0 && size <= segment && total + size <= kMaxMessageBytes &&
                            datagram.ecn == first.ecn && is_same_path(first, datagram);
    if (length > 0 && !may_follow) break;
    if (!add_piece(datagram.bytes, first_piece)) break;
    total += size;
    ++length;
    if (size < segment) break;
  }
  return length;
}

bool UdpSender::add_piece(ByteView bytes, std::size_t first_piece) {
  Scratch& s = *scratch_;
  if (s.piece_count > first_piece) {
    iovec& last = s.pieces[s.piece_count - 1];
    if (static_cast<std::uint8_t*>(last.iov_base) + last.iov_len == bytes.data()) {
      last.iov_len += bytes.size();
      return true;
    }
  }
  if (s.piece_count == kMaxPieces) return false;
  s.pieces[s.piece_count++] = piece_of(bytes);
  return true;
}

std::size_t UdpSender::max_segments_for(const net::Datagram& datagram) {
  if (!gso() || datagram.bytes.empty()) return 1;
  return datagram.bytes.size() <= limits_.of(datagram.path->remote) ? kMaxSegments : 1;
}

bool UdpSender::knows_source(const net::PathAddress& path) {
  return path.local.family() == options_.family && !path.local.is_unspecified() &&
         !gone_.contains(path.local);
}

// As UdpSystem::send_messages, but what was not sent always has a reason.
int UdpSender::send_message(mmsghdr* message, unsigned count) {
  const int sent = system_.send_messages(options_.fd, message, count);
  counters_.add(UdpCount::Sends);
  return sent == 0 ? -EAGAIN : sent;
}

// Sends what pack() made. Returns false when the socket's buffer is full, which ends this send: the
// link is slower than we are, and what waits any longer only adds delay.
bool UdpSender::transmit() {
  Scratch& s = *scratch_;
  std::size_t done = 0;
  while (done < s.message_count) {
    const int sent = send_message(&s.messages[done], static_cast<unsigned>(s.message_count - done));
    if (sent > 0) {
      for (int i = 0; i < sent; ++i) count_sent(s.runs[done++]);
      continue;
    }
    // The error is that of the first message; those behind it were not tried.
    if (recover(s.runs[done++], -sent) == EAGAIN) {
      for (; done < s.message_count; ++done) {
        counters_.add(UdpCount::SendBufferFull, s.runs[done].size());
      }
      return false;
    }
  }
  return true;
}

// Sends a run in another way after `error`, or drops it. Returns 0, or the errno of the drop.
int UdpSender::recover(Run run, int error) {
  const bool may_be_source = may_mean_gone_source(error) && knows_source(*run[0].path);
  if (run.size() > 1 && (may_mean_not_joined(error) || may_be_source)) {
    return send_one_by_one(run, error);
  }
  if (may_be_source) error = send_alone(run[0]).error;
  if (error != 0) counters_.add(send_drop_of(error), run.size());
  return error;
}

// For a joined send that was refused. Finds out what the kernel minds: that they are joined, or
// their source address, or anything else, which single datagrams meet as well.
int UdpSender::send_one_by_one(Run run, int error) {
  counters_.add(UdpCount::JoinedSendsRefused);
  bool source_was_gone = false;
  for (std::size_t i = 0; i < run.size(); ++i) {
    const Attempt attempt = send_alone(run[i]);
    source_was_gone |= attempt.from_elsewhere;
    if (attempt.error != 0) {
      // The rest has the same path and size, so it would fare no better.
      counters_.add(send_drop_of(attempt.error), run.size() - i);
      return attempt.error;
    }
  }
  if (!source_was_gone && may_mean_not_joined(error)) blame_segment_size(run[0]);
  return 0;
}

UdpSender::Attempt UdpSender::send_alone(const net::Datagram& datagram) {
  iovec piece = piece_of(datagram.bytes);
  Envelope envelope;
  mmsghdr message;
  Content content{
      .pieces = {&piece, 1}, .first = datagram, .from_known_source = knows_source(*datagram.path)};
  fill_message(content, envelope, message);
  int sent = send_message(&message, 1);
  bool from_elsewhere = false;
  if (sent < 0 && content.from_known_source && may_mean_gone_source(-sent)) {
    content.from_known_source = false;
    fill_message(content, envelope, message);
    sent = send_message(&message, 1);
    from_elsewhere = sent > 0;
  }
  if (from_elsewhere) {
    gone_.add(datagram.path->local);
    counters_.add(UdpCount::SourcesGone);
  }
  if (sent > 0) count_sent({&datagram, 1});
  return {.error = sent > 0 ? 0 : -sent, .from_elsewhere = from_elsewhere};
}

// A datagram larger than the MTU cannot be joined with others, yet goes out alone as fragments: so
// that endpoint gets no larger joined sends. A refusal that the MTU does not explain may be a
// kernel or a device that cannot join at all.
void UdpSender::blame_segment_size(const net::Datagram& first) {
  const net::Endpoint& remote = first.path->remote;
  const unsigned mtu = system_.mtu_of({.remote = remote,
                                       .fwmark = fwmark_.load(std::memory_order_relaxed),
                                       .interface = options_.interface});
  const std::size_t headers = options_.family == net::Family::V4 ? 20 + 8 : 40 + 8;
  if (mtu > headers && first.bytes.size() > mtu - headers) {
    limits_.lower(remote, mtu - headers);
    return;
  }
  limits_.lower(remote, first.bytes.size() - 1);
  if (++unexplained_refusals_ == kMaxUnexplainedRefusals)
    gso_.store(false, std::memory_order_relaxed);
}

void UdpSender::count_sent(Run run) {
  std::size_t bytes = 0;
  for (const net::Datagram& datagram : run) bytes += datagram.bytes.size();
  counters_.add(UdpCount::MessagesSent);
  counters_.add(UdpCount::DatagramsSent, run.size());
  counters_.add(UdpCount::BytesSent, bytes);
}

}  // namespace ginnel::os
