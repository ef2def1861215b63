#include "os/tun_device.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>

#include "base/check.h"
#include "os/os_error.h"
#include "os/rtnetlink.h"
#include "os/tun_holder.h"

namespace ginnel::os {
namespace {

using net::Coalescer;
using net::PacketBatch;
using net::SegmentDrop;
using net::VirtioHeader;

// Linux 6.2; older headers lack them. The kernel wants both or none.
constexpr unsigned kUso = 0x20 | 0x40;

// The virtio header is read right before the packet, which thereby stays aligned.
constexpr std::size_t kPacketOffset = 16;
constexpr std::size_t kScratchBytes = kPacketOffset + PacketBatch::kMaxPacketBytes;
static_assert(kPacketOffset >= sizeof(VirtioHeader));

std::string describe(const TunOptions& options) {
  return fmt::format("create TUN interface {}", options.name);
}

// As the kernel sees it, which answers EINVAL for these as for names that are taken.
bool may_name_interface(std::string_view name) {
  const auto is_refused = [](unsigned char c) { return c <= ' ' || c == '/' || c == ':'; };
  if (name == "." || name == ".." || std::ranges::any_of(name, is_refused)) return false;
  const std::size_t percent = name.find('%');
  return percent == name.npos ||
         (percent == name.rfind('%') && name.substr(percent).starts_with("%d"));
}

// What TUNSETIFF and TUNGETIFF exchange.
Result<ifreq> request_for(const TunOptions& options) {
  ifreq request{};
  if (options.name.empty() || options.name.size() >= sizeof request.ifr_name) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("interface name \"{}\" has {} characters; use 1 to {}", options.name,
                            options.name.size(), sizeof request.ifr_name - 1));
  }
  if (!may_name_interface(options.name)) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("interface name \"{}\" is not one that the kernel takes; use letters, "
                            "digits, \"-\", \"_\" and \".\", and \"%d\" once for a free number",
                            options.name));
  }
  std::memcpy(request.ifr_name, options.name.data(), options.name.size());
  int flags = IFF_TUN | IFF_NO_PI;
  if (options.virtio_header) flags |= IFF_VNET_HDR;
  if (options.multi_queue) flags |= IFF_MULTI_QUEUE;
  request.ifr_flags = static_cast<short>(flags);
  return request;
}

std::string_view remedy_for_open(int number) {
  switch (number) {
    case ENOENT:
    case ENODEV:
    case ENXIO:
      return "load the kernel module (modprobe tun) or give the container the device";
    case EACCES:
    case EPERM:
      return "run it as root, or with CAP_NET_ADMIN as a user who may open the device";
    default:
      return {};
  }
}

std::string remedy_for_attach(int number, const std::string& name) {
  switch (number) {
    case EPERM:
      return "run it as root or with CAP_NET_ADMIN";
    case EBUSY:
      return describe_tun_holder(name) + "; stop that or choose another name";
    case EINVAL:
      return "an interface of that name and another kind exists; choose another name";
    default:
      return {};
  }
}

// Sandboxes and vendors make TUN devices without it.
bool offers_virtio_header(int fd) {
  unsigned features = 0;
  return ::ioctl(fd, TUNGETFEATURES, &features) != 0 || (features & IFF_VNET_HDR) != 0;
}

bool set_offloads(int fd, unsigned flags) {
  return ::ioctl(fd, TUNSETOFFLOAD, static_cast<unsigned long>(flags)) == 0;
}

TunCount counter_of(SegmentDrop drop) {
  switch (drop) {
    case SegmentDrop::NotIp:
      return TunCount::ReadNotIp;
    case SegmentDrop::BadOffload:
      return TunCount::ReadBadOffload;
    case SegmentDrop::UnknownKind:
      return TunCount::ReadUnknownKind;
    case SegmentDrop::TooLong:
      return TunCount::ReadTooLong;
    case SegmentDrop::kCount:
      break;
  }
  std::unreachable();
}

}  // namespace

// Takes super-packets apart again that the kernel refused.
struct TunDevice::Fallback {
  std::array<std::uint8_t, Coalescer::kMaxSuperPacketBytes> bytes;
  net::Segmenter segmenter;
  PacketBatch batch;
};

// The kernel gives a queue of a multi-queue interface to whoever asks, and with it a share of the
// packets of the program that has the others.
Result<std::unique_ptr<TunDevice>> TunDevice::open(const TunOptions& options) {
  auto made = attach(options, IFF_TUN_EXCL);
  if (made || made.error().code != ErrorCode::Conflict) return made;
  auto netlink = Rtnetlink::open();
  if (!netlink) return pass(std::move(netlink));
  const auto queues = netlink->count_tun_queues(options.name);
  if (!queues && queues.error().code != ErrorCode::NotFound) {
    return std::unexpected(queues.error());
  }
  if (queues.value_or(0) == 0) {
    auto joined = attach(options, 0);
    if (joined || joined.error().code != ErrorCode::Conflict) return joined;
  }
  await_end_of_tun(options.name);
  return attach(options, IFF_TUN_EXCL);
}

Result<std::unique_ptr<TunDevice>> TunDevice::attach(const TunOptions& options, int more_flags) {
  auto request = request_for(options);
  if (!request) return pass(std::move(request));
  request->ifr_flags = static_cast<short>(request->ifr_flags | more_flags);
  Fd fd(::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (!fd) {
    return os_fail(describe(options) + ": open /dev/net/tun", errno, remedy_for_open(errno));
  }
  if (!offers_virtio_header(fd.get())) {
    request->ifr_flags = static_cast<short>(request->ifr_flags & ~IFF_VNET_HDR);
  }
  if (::ioctl(fd.get(), TUNSETIFF, &*request) != 0) {
    const int number = errno;
    return os_fail(describe(options), number, remedy_for_attach(number, options.name));
  }
  return adopt(std::move(fd), options);
}

Result<std::unique_ptr<TunDevice>> TunDevice::adopt(Fd fd, const TunOptions& options) {
  ifreq request{};
  if (::ioctl(fd.get(), TUNGETIFF, &request) != 0) {
    return os_fail(fmt::format("descriptor {} as a TUN queue", fd.get()), errno,
                   "hand over one that is attached to a TUN interface");
  }
  TunOptions actual = options;
  actual.name = std::string(request.ifr_name, ::strnlen(request.ifr_name, IFNAMSIZ));
  const int flags = request.ifr_flags;
  actual.virtio_header = (flags & IFF_VNET_HDR) != 0;
  actual.multi_queue = (flags & IFF_MULTI_QUEUE) != 0;
  if ((flags & IFF_TUN) == 0 || (flags & IFF_NO_PI) == 0) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("interface {} is not a TUN interface without packet information; "
                            "create it with IFF_TUN and IFF_NO_PI",
                            actual.name));
  }
  const int status = ::fcntl(fd.get(), F_GETFL);
  if (status < 0 || ::fcntl(fd.get(), F_SETFL, status | O_NONBLOCK) != 0) {
    return os_fail(fmt::format("make the queue of {} non-blocking", actual.name), errno);
  }
  auto device = std::make_unique<TunDevice>(Key{}, std::move(fd), std::move(actual));
  if (auto started = device->start_offloads(); !started) return pass(std::move(started));
  return device;
}

Result<std::unique_ptr<TunDevice>> TunDevice::open_queue() const {
  CHECK(options_.multi_queue);
  return attach(options_, 0);
}

std::optional<std::string> TunDevice::current_name() const {
  ifreq request{};
  if (::ioctl(fd_.get(), TUNGETIFF, &request) != 0) return std::nullopt;
  return std::string(request.ifr_name, ::strnlen(request.ifr_name, IFNAMSIZ));
}

Fd TunDevice::network_namespace() const { return Fd(::ioctl(fd_.get(), TUNGETDEVNETNS)); }

TunDevice::TunDevice(Key, Fd fd, TunOptions options)
    : fd_(std::move(fd)),
      options_(std::move(options)),
      scratch_(std::make_unique_for_overwrite<std::uint8_t[]>(kScratchBytes)) {}

TunDevice::~TunDevice() = default;

Status TunDevice::start_offloads() {
  if (!options_.virtio_header) return ok();
  int size = sizeof(VirtioHeader);
  if (::ioctl(fd_.get(), TUNSETVNETHDRSZ, &size) != 0) {
    return os_fail(fmt::format("set the virtio header of {}", name()), errno,
                   "switch its offloads off");
  }
  const Coalescer::Kinds wanted = options_.offloads;
  unsigned tso = 0;
  if (wanted.tcp_v4) tso |= TUN_F_TSO4 | TUN_F_TSO_ECN;
  if (wanted.tcp_v6) tso |= TUN_F_TSO6 | TUN_F_TSO_ECN;
  const unsigned uso = wanted.udp ? kUso : 0;
  // The kernel does not say what it knows; it refuses the whole set.
  const bool udp = uso != 0 && set_offloads(fd_.get(), TUN_F_CSUM | tso | uso);
  const bool tcp = tso != 0 && (udp || set_offloads(fd_.get(), TUN_F_CSUM | tso));
  if (!udp && !tcp && !set_offloads(fd_.get(), TUN_F_CSUM)) set_offloads(fd_.get(), 0);
  read_offloads_ = {.tcp_v4 = tcp && wanted.tcp_v4, .tcp_v6 = tcp && wanted.tcp_v6, .udp = udp};
  coalescer_.set_kinds(read_offloads_);
  return ok();
}

std::size_t TunDevice::prefix_size() const {
  return options_.virtio_header ? sizeof(VirtioHeader) : 0;
}

TunDevice::State TunDevice::read_batch(PacketBatch& batch) {
  while (true) {
    const std::size_t before = batch.size();
    const bool finished = segmenter_.next_into(batch);
    counters_.add(TunCount::PacketsRead, batch.size() - before);
    if (!finished || batch.size() == PacketBatch::kMaxPackets) return State::Full;

    const std::size_t prefix = prefix_size();
    const ssize_t size =
        ::read(fd_.get(), &scratch_[kPacketOffset - prefix], prefix + PacketBatch::kMaxPacketBytes);
    if (size >= 0) {
      take_packet(static_cast<std::size_t>(size));
    } else if (errno == EBADFD || errno == EBADF || errno == EFAULT || errno == ENODEV) {
      return State::Gone;
    } else if (errno == EAGAIN) {
      return State::Drained;
    } else if (errno != EINTR) {
      counters_.add(TunCount::ReadFailed);
      if (errno == EINVAL) note_refused_read();
      return State::Failed;
    }
  }
}

// Hands what was read to the segmenter.
void TunDevice::take_packet(std::size_t size) {
  counters_.add(TunCount::Reads);
  VirtioHeader header;
  const std::size_t prefix = prefix_size();
  if (size < prefix) {
    counters_.add(TunCount::ReadNotIp);
    return;
  }
  std::memcpy(&header, &scratch_[kPacketOffset - prefix], prefix);
  if (header.gso_type != VirtioHeader::kNone) {
    counters_.add(TunCount::SuperPacketsRead);
    refused_reads_ = 0;
  }
  const auto begun = segmenter_.begin(header, {&scratch_[kPacketOffset], size - prefix});
  if (!begun) counters_.add(counter_of(begun.error()));
}

// The kernel had a super-packet that the virtio header cannot describe, and has dropped it. It did
// so although it offered that kind, and does not say which it was.
void TunDevice::note_refused_read() {
  const Coalescer::Kinds on = read_offloads_;
  if (!(on.tcp_v4 || on.tcp_v6 || on.udp) || ++refused_reads_ < kMaxRefusals) return;
  counters_.add(TunCount::OffloadsGivenUp);
  read_offloads_ = {.tcp_v4 = false, .tcp_v6 = false, .udp = false};
  set_offloads(fd_.get(), TUN_F_CSUM);  // Of the interface, for all of its queues.
}

TunDevice::State TunDevice::write(std::span<const ByteSpan> packets) {
  loose_packets_ = 0;
  while (!packets.empty()) {
    const auto run = packets.first(std::min(packets.size(), Coalescer::kMaxPackets));
    packets = packets.subspan(run.size());
    for (const net::TunWrite& write : coalescer_.plan(run)) {
      if (write_one(write) == State::Gone) return State::Gone;
    }
    counters_.add(TunCount::WriteNotIp, coalescer_.left_out());
  }
  return State::Drained;
}

TunDevice::State TunDevice::write_one(const net::TunWrite& write) {
  std::array<iovec, 1 + Coalescer::kMaxPackets> pieces;
  std::size_t count = 0;
  VirtioHeader header = write.header;
  if (options_.virtio_header) pieces[count++] = {&header, sizeof header};
  for (const ByteView piece : write.pieces) {
    pieces[count++] = {const_cast<std::uint8_t*>(piece.data()), piece.size()};
  }
  while (::writev(fd_.get(), pieces.data(), static_cast<int>(count)) < 0) {
    const bool super = write.header.gso_type != VirtioHeader::kNone;
    switch (errno) {
      case EINTR:
        continue;
      case EBADFD:
      case EBADF:
        return State::Gone;
      case EIO:
        counters_.add(TunCount::WriteDeviceDown, write.packets());
        break;
      case EAGAIN:
      case ENOMEM:
      case ENOBUFS:
      case ENOSPC:
        counters_.add(TunCount::WriteNoMemory, write.packets());
        break;
      default:
        if (super) return write_segments(write);
        counters_.add(TunCount::WriteRefused, write.packets());
    }
    return State::Drained;
  }
  count_written(write);
  return State::Drained;
}

void TunDevice::count_written(const net::TunWrite& write) {
  counters_.add(TunCount::Writes);
  counters_.add(TunCount::PacketsWritten, write.packets());
  const bool tcp =
      write.header.gso_type != VirtioHeader::kNone && write.header.gso_type != VirtioHeader::kUdp;
  if (!tcp) loose_packets_ += write.packets();
  if (write.header.gso_type == VirtioHeader::kNone) return;
  counters_.add(TunCount::SuperPacketsWritten);
  refusals_of(write.header) = 0;
}

// The kernel refused a super-packet: its packets go one by one.
TunDevice::State TunDevice::write_segments(const net::TunWrite& write) {
  note_refusal(write.header);
  if (!fallback_) fallback_ = std::make_unique<Fallback>();
  std::size_t size = 0;
  for (const ByteView piece : write.pieces) {
    std::ranges::copy(piece, &fallback_->bytes[size]);
    size += piece.size();
  }
  net::Segmenter& segmenter = fallback_->segmenter;
  const auto begun = segmenter.begin(write.header, ByteSpan(fallback_->bytes).first(size));
  CHECK(begun.has_value());  // It is what our own coalescer made.
  for (bool finished = false; !finished;) {
    fallback_->batch.clear();
    finished = segmenter.next_into(fallback_->batch);
    for (std::size_t i = 0; i < fallback_->batch.size(); ++i) {
      const ByteView packet = fallback_->batch.packet(i);
      if (write_one({.header = {}, .pieces = {&packet, 1}}) == State::Gone) return State::Gone;
    }
  }
  return State::Drained;
}

void TunDevice::note_refusal(const VirtioHeader& header) {
  if (++refusals_of(header) != kMaxRefusals) return;
  counters_.add(TunCount::OffloadsGivenUp);
  Coalescer::Kinds kinds = coalescer_.kinds();
  switch (header.gso_type) {
    case VirtioHeader::kTcpV4:
      kinds.tcp_v4 = false;
      break;
    case VirtioHeader::kTcpV6:
      kinds.tcp_v6 = false;
      break;
    default:
      kinds.udp = false;
  }
  coalescer_.set_kinds(kinds);
}

unsigned& TunDevice::refusals_of(const VirtioHeader& header) {
  switch (header.gso_type) {
    case VirtioHeader::kTcpV4:
      return tcp_v4_refusals_;
    case VirtioHeader::kTcpV6:
      return tcp_v6_refusals_;
    default:
      return udp_refusals_;
  }
}

}  // namespace ginnel::os
