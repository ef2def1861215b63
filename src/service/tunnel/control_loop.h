// The thread beside the data workers: it owns the engine, and carries out its handshakes, timers
// and configuration. Everything else reaches the engine through call().
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <vector>

#include "core/wg/engine.h"
#include "os/clock.h"
#include "os/event_fd.h"
#include "os/poller.h"
#include "os/system_rng.h"
#include "os/tun_watch.h"
#include "os/udp_pair.h"
#include "service/tunnel/tunnel_worker.h"
#include "service/tunnel/udp_totals.h"

namespace ginnel::tunnel {

struct ControlOptions {
  std::string interface;
  std::optional<net::Address> listen_address;  // Absent: every address of both families.
  os::UdpOptions socket;
  // Told on the control thread what an operator may want to know. May be empty.
  std::function<void(const wg::EngineEvent&)> on_event;
};

class ControlLoop {
  struct Key {};  // Only create() makes one.

 public:
  // Sockets of each family, over all workers, if there are no more of them: one for each lane.
  static constexpr std::size_t kSpread = wg::SessionTable::kLanes;
  static_assert(kSpread <= TunnelWorker::kMaxSockets);
  // Requests that may wait; a caller beyond that is refused.
  static constexpr std::size_t kMaxRequests = 64;
  // How long a change of port may wait for the workers to have made the change before.
  static constexpr Duration kMaxSocketWait = 1s;

  // Borrows the tables, the workers and `wake` until it is destroyed.
  static Result<std::unique_ptr<ControlLoop>> create(
      wg::SharedTables& tables, const std::vector<std::unique_ptr<TunnelWorker>>& workers,
      const os::EventFd& wake, const os::EventFd& ended, ControlOptions options);

  ControlLoop(Key, wg::SharedTables& tables,
              const std::vector<std::unique_ptr<TunnelWorker>>& workers, const os::EventFd& wake,
              const os::EventFd& ended, ControlOptions options, os::Poller poller);

  // The control thread. Returns when asked to stop, which takes a wake(), or, after raising
  // `ended`, when the interface is gone.
  void run(const std::stop_token& stop);

  // Any thread. Both wait for the control thread.
  Status configure(wg::DeviceChange change);
  Result<wg::DeviceStatus> observe();

 private:
  enum Token : std::uint64_t { kWake, kLink };
  // Told whether the loop still runs; if it does not, only the caller is to be told.
  using Task = std::move_only_function<void(bool alive)>;

  Status call(std::function<Status()> work);
  void carry_out_requests(bool alive);
  void turn(std::span<const os::Ready> ready);
  void look_at_link();
  void flush();
  Status apply(wg::DeviceChange& change);
  Status apply_sockets(const wg::DeviceChange& change);
  Status await_sockets();
  wg::DeviceStatus status();
  bool interface_gone() const;

  const std::vector<std::unique_ptr<TunnelWorker>>& workers_;
  const os::EventFd& wake_;
  const os::EventFd& ended_;
  ControlOptions options_;
  os::Poller poller_;
  std::unique_ptr<os::TunWatch> link_;
  os::Clock clock_;
  os::SystemRng rng_;
  wg::Engine engine_;
  wg::ControlOutbox outbox_;
  std::vector<net::Datagram> sending_;

  // The workers' sockets once more, for sending; setting a mark on one sets it on the worker's too.
  std::vector<os::UdpPair> sockets_;
  UdpTotals udp_totals_;
  bool port_was_chosen_ = false;  // By us, because none was asked for.
  std::uint32_t fwmark_ = 0;

  BoundedQueue<Task> requests_{kMaxRequests};
  std::atomic<bool> finished_{false};  // Nobody carries out requests any more.
};

}  // namespace ginnel::tunnel
