// A userspace WireGuard interface: TUN device, sockets and threads around core/wg. Lives until it
// is destroyed, or until somebody deletes the interface.
#pragma once

#include <memory>
#include <thread>
#include <vector>

#include "service/tunnel/control_loop.h"
#include "service/tunnel/path_choice.h"
#include "service/tunnel/wg_device.h"

namespace ginnel::tunnel {

struct TunnelOptions {
  std::string interface = "wg%d";  // "%d" lets the kernel choose a number.
  unsigned mtu = net::kDefaultMtu;
  // Data threads; 0: one for each CPU, and at least kMinWorkers. One peer's traffic in one
  // direction is always one thread's.
  std::size_t workers = 0;
  std::optional<net::Address> listen_address;  // Absent: every address of both families.
  PathChoice path{};
  // Makes what encrypts in the place of `path.aead`, once for each worker. For measurements and
  // tests.
  std::function<std::unique_ptr<crypto::AeadBatch>()> make_aead{};
  // Null: the real one. Outlives the tunnel; its threads call it at once.
  os::UdpSystem* udp_system = nullptr;
  std::function<void(const wg::EngineEvent&)> on_event;  // On the control thread. May be empty.
};

class Tunnel final : public WgDevice {
  struct Key {};  // Only start() makes one.

 public:
  static constexpr std::size_t kMaxWorkers = 16;
  // Also where there are fewer CPUs: whoever shares no thread with a busy peer is served as soon as
  // the kernel lets another thread run.
  static constexpr std::size_t kMinWorkers = 8;

  // Makes the interface, down and without addresses, and binds a port of the kernel's choice.
  static Result<std::unique_ptr<Tunnel>> start(TunnelOptions options);
  // The same with an interface that exists, of one queue, wherever it is: its name, MTU and state
  // are others' business, and `options.interface` does not count.
  static Result<std::unique_ptr<Tunnel>> adopt(os::Fd queue, TunnelOptions options);
  Tunnel(Key, std::string interface, std::size_t workers);
  ~Tunnel() override;  // Takes the interface down with it.

  const std::string& interface_name() const override { return interface_; }
  Status configure(wg::DeviceChange change) override;
  Result<wg::DeviceStatus> observe() override;

  // Readable when the tunnel has ended by itself, because the interface is gone.
  int ended_fd() const { return ended_->fd(); }
  std::string_view aead_name() const { return workers_.front()->aead_name(); }

 private:
  Status make(const TunnelOptions& options, std::unique_ptr<os::TunDevice> device);

  std::string interface_;
  os::SystemRng rng_;
  wg::SharedTables tables_;
  std::optional<os::EventFd> wake_;
  std::optional<os::EventFd> ended_;
  std::vector<std::unique_ptr<TunnelWorker>> workers_;
  std::unique_ptr<ControlLoop> control_;
  std::vector<std::jthread> threads_;
};

}  // namespace ginnel::tunnel
