// A TUN interface as the data path sees it: batches of inner packets. Super-packets (TSO, USO)
// exist only between this class and the kernel; without them the same code moves single packets.
// Addresses, MTU and link state are set by others, over netlink.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "net/coalescer.h"
#include "net/packet_batch.h"
#include "net/segmenter.h"
#include "os/fd.h"
#include "os/tun_counters.h"

namespace ginnel::os {

struct TunOptions {
  std::string name = "ginnel%d";  // "%d" lets the kernel choose a number.
  bool multi_queue = false;       // Allows open_queue().
  // Each can be switched off, for kernels that get one wrong. Without `virtio_header` all are off.
  bool virtio_header = true;
  net::Coalescer::Kinds offloads{.tcp_v4 = true, .tcp_v6 = true, .udp = true};
};

// One queue of the interface, non-blocking, used by one thread. The interface lives as long as one
// of its queues.
class TunDevice {
  struct Key {};  // Only open() and adopt() make one.

 public:
  // Super-packets of one kind that the kernel must refuse in a row before that kind is given up, or
  // that it must fail to hand out before all are. A kernel that cannot take them refuses each; one
  // odd packet must not cost the others their speed.
  static constexpr unsigned kMaxRefusals = 4;

  // Makes the interface, or attaches to it if it exists and no program holds it.
  static Result<std::unique_ptr<TunDevice>> open(const TunOptions& options);
  // Takes over a descriptor that is attached already, possibly in another network namespace.
  static Result<std::unique_ptr<TunDevice>> adopt(Fd fd, const TunOptions& options);
  // Another queue of the same interface, for another thread. REQUIRES: multi_queue.
  Result<std::unique_ptr<TunDevice>> open_queue() const;

  TunDevice(Key, Fd fd, TunOptions options);
  ~TunDevice();
  TunDevice(const TunDevice&) = delete;
  TunDevice& operator=(const TunDevice&) = delete;

  enum class State : std::uint8_t {
    Drained,  // Everything was moved; wait until the descriptor is readable.
    Full,     // The batch is full and more may wait: use it, clear it, read again.
    Gone,     // The interface was deleted. Nothing will come any more.
    Failed,   // It was counted; try again, but not at once.
  };

  // Appends packets to `batch` until nothing waits or nothing more fits.
  State read_batch(net::PacketBatch& batch);

  // Writes packets in order, those of one flow joined where the kernel takes that. Their headers
  // may be edited. What cannot be written is dropped and counted: a TUN device has no
  // back-pressure.
  State write(std::span<const ByteSpan> packets);
  // How many packets of the last write() programs take one by one: all but those joined to TCP
  // super-packets.
  std::size_t loose_packets() const { return loose_packets_; }

  int fd() const { return fd_.get(); }  // To poll for reading.
  // As it was when it was opened.
  const std::string& name() const { return options_.name; }
  // As it is; nothing when the interface was deleted. Any thread may ask.
  std::optional<std::string> current_name() const;
  // Where the interface is; none when the kernel does not say. Any thread may ask.
  Fd network_namespace() const;
  bool has_virtio_header() const { return options_.virtio_header; }
  // Which super-packets go to the kernel, and which come from it.
  net::Coalescer::Kinds write_offloads() const { return coalescer_.kinds(); }
  net::Coalescer::Kinds read_offloads() const { return read_offloads_; }
  const TunCounters& counters() const { return counters_; }

 private:
  struct Fallback;

  static Result<std::unique_ptr<TunDevice>> attach(const TunOptions& options, int more_flags);
  Status start_offloads();
  std::size_t prefix_size() const;
  void take_packet(std::size_t size);
  State write_one(const net::TunWrite& write);
  State write_segments(const net::TunWrite& write);
  void count_written(const net::TunWrite& write);
  void note_refused_read();
  void note_refusal(const net::VirtioHeader& header);
  unsigned& refusals_of(const net::VirtioHeader& header);

  Fd fd_;
  TunOptions options_;
  net::Coalescer::Kinds read_offloads_{.tcp_v4 = false, .tcp_v6 = false, .udp = false};

  std::unique_ptr<std::uint8_t[]> scratch_;  // The super-packet that the segmenter works on.
  net::Segmenter segmenter_;
  net::Coalescer coalescer_{{.tcp_v4 = false, .tcp_v6 = false, .udp = false}};
  unsigned tcp_v4_refusals_ = 0;
  unsigned tcp_v6_refusals_ = 0;
  unsigned udp_refusals_ = 0;
  unsigned refused_reads_ = 0;
  std::size_t loose_packets_ = 0;
  std::unique_ptr<Fallback> fallback_;  // Made when first needed.
  TunCounters counters_;
};

}  // namespace ginnel::os
