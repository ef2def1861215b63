// The I/O shell of one data worker: one thread, one TUN queue, a few UDP sockets of each family. It
// decides when the worker runs and carries bytes; it knows nothing about WireGuard.
#pragma once

#include <atomic>
#include <semaphore>
#include <stop_token>

#include "base/bounded_queue.h"
#include "core/wg/data_worker.h"
#include "os/clock.h"
#include "os/event_fd.h"
#include "os/poller.h"
#include "os/tun_device.h"
#include "os/udp_pair.h"
#include "service/tunnel/load_window.h"
#include "service/tunnel/retry_pause.h"

namespace ginnel::tunnel {

class TunnelWorker {
  struct Key {};  // Only create() makes one.

 public:
  // Of its thread. Programs wait for the tunnel, not the reverse: it comes before them, as the
  // kernel's own network does. Without the right to it the thread runs like any other.
  static constexpr int kNice = -10;
  // While it has little to do (LoadWindow) it comes before others of its kind too: what it carries
  // must not wait for a busy peer's thread. It is the short slice that lets it run at once: whoever
  // has a longer one need not finish that first.
  static constexpr int kLightNice = -20;
  static constexpr Duration kLightSlice = 100us;
  // How long it looks around before it sleeps, if the wait before was no longer than this: to be
  // woken costs more than to handle some packets, most of all on a virtual machine. Others may run
  // meanwhile.
  static constexpr Duration kLookAround = 20us;
  // So many packets at a time, of those that programs send and take one by one, are a flood. It
  // fills the queues at its ends faster than the programs there get to run (a socket's default
  // buffer holds 277 small packets), so they are let run in between.
  static constexpr std::size_t kFlood = 64;

  // Borrows the tables and the control loop's flag until it is destroyed.
  static Result<std::unique_ptr<TunnelWorker>> create(wg::SharedTables& tables, std::size_t index,
                                                      std::unique_ptr<os::TunDevice> queue,
                                                      std::unique_ptr<crypto::AeadBatch> aead,
                                                      const os::EventFd& wake_control);
  TunnelWorker(Key, wg::SharedTables& tables, std::size_t index,
               std::unique_ptr<os::TunDevice> queue, std::unique_ptr<crypto::AeadBatch> aead,
               const os::EventFd& wake_control, os::Poller poller, os::EventFd wake);

  // The worker's thread. Returns when asked to stop, which takes a wake(), or when the interface is
  // gone.
  void run(const std::stop_token& stop);

  // Any thread from here on.
  void wake() const { wake_.raise(); }
  // The kernel spreads endpoints over sockets, and each is read in turn: a peer waits behind those
  // that share its socket only.
  using Sockets = std::vector<os::UdpPair>;
  static constexpr std::size_t kMaxSockets = 16;

  // Replaces the sockets at the start of the next turn. Control thread only, and only after
  // await_sockets() said yes, or as the first. REQUIRES: 1 <= sockets.size() <= kMaxSockets.
  void give_sockets(Sockets sockets);
  // Waits until those given last are in use, and those before them closed: only then is their port
  // free. False when `patience` ends first. Control thread only.
  bool await_sockets(Duration patience);
  void set_mtu(unsigned mtu) { mtu_.store(mtu, std::memory_order_relaxed); }
  bool interface_gone() const { return interface_gone_.load(std::memory_order_acquire); }
  const wg::DropCounters& drops() const { return worker_.drops(); }
  const os::TunDevice& queue() const { return *queue_; }
  const os::TunCounters& tun_counters() const { return queue_->counters(); }
  std::string_view aead_name() const { return worker_.aead_name(); }

 private:
  // What the poller reports, and what may have to rest: beside these two, the IPv4 and the IPv6
  // socket of each pair, from kFirstSocket on.
  enum Token : std::uint64_t { kTun, kWake, kFirstSocket };
  static constexpr std::size_t kMaxTokens = kFirstSocket + 2 * kMaxSockets;
  // What is read from a socket at a time: of full messages some 200 us of work, which is what
  // comes after them waits, and a peer in another socket; and the program that they are for begins
  // while more are read. Small messages cost little each.
  static constexpr std::size_t kTurnBytes = 192 << 10;

  std::span<const os::Ready> wait();
  void judge_load();
  void turn(std::span<const os::Ready> ready);
  void handle_wake(MonoTime now);
  // A source that failed is not looked at for a while.
  void rest(std::uint64_t source, MonoTime now);
  void end_rests(MonoTime now);
  MonoTime next_rest_end() const;
  os::UdpSocket* socket_of(std::uint64_t source) const;  // Null: there is none.
  int descriptor_of(std::uint64_t source) const;         // -1: there is none.
  std::size_t source_count() const { return kFirstSocket + 2 * sockets_.size(); }
  void carry_out(MonoTime now);
  void carry_in(MonoTime now, std::uint64_t source);
  std::size_t messages_to_read(std::uint64_t source) const;
  void seal_and_send(MonoTime now);

  wg::DataWorker worker_;
  std::unique_ptr<os::TunDevice> queue_;
  const os::EventFd& wake_control_;
  os::Poller poller_;
  os::EventFd wake_;
  os::Clock clock_;
  Sockets sockets_;  // The first pair sends.
  BoundedQueue<Sockets> new_sockets_{1};
  std::binary_semaphore sockets_settled_{1};  // Held while new ones wait to be used.
  std::atomic<unsigned> mtu_{net::kDefaultMtu};
  std::atomic<bool> interface_gone_{false};
  std::array<RetryPause, kMaxTokens> rests_;
  std::array<std::size_t, kMaxTokens> message_bytes_{};  // Of what a socket brought last.
  bool tun_has_more_ = false;  // Part of a super-packet may wait inside the device object.
  MonoTime wait_begun_{};
  bool expects_more_ = false;  // The last wait was short.
  LoadWindow load_;
  LoadWindow::Load load_now_ = LoadWindow::Load::Heavy;

  // Scratch of one turn; nothing is allocated once they have grown.
  net::PacketBatch packets_;
  os::ReceiveBatch received_;
  std::vector<net::Datagram> sealed_;
  std::vector<ByteSpan> opened_;
};

}  // namespace ginnel::tunnel
