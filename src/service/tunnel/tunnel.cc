#include "service/tunnel/tunnel.h"

#include <fmt/format.h>

#include "os/process.h"
#include "os/rtnetlink.h"

namespace ginnel::tunnel {
namespace {

std::size_t worker_count(const TunnelOptions& options) {
  if (options.workers != 0) return std::min(options.workers, Tunnel::kMaxWorkers);
  return std::clamp<std::size_t>(os::cpu_count(), Tunnel::kMinWorkers, Tunnel::kMaxWorkers);
}

}  // namespace

Result<std::unique_ptr<Tunnel>> Tunnel::start(TunnelOptions options) {
  const std::size_t workers = worker_count(options);
  const net::Coalescer::Kinds offloads = options.path.tun_offloads;
  auto device =
      os::TunDevice::open({.name = options.interface,
                           .multi_queue = workers > 1,
                           .virtio_header = offloads.tcp_v4 || offloads.tcp_v6 || offloads.udp,
                           .offloads = offloads});
  if (!device) return pass(std::move(device));
  auto netlink = os::Rtnetlink::open();
  if (!netlink) return pass(std::move(netlink));
  const hostnet::SetMtu mtu{.interface = (*device)->name(), .mtu = options.mtu};
  if (Status set = netlink->apply(mtu); !set) return pass(std::move(set));
  auto tunnel = std::make_unique<Tunnel>(Key{}, (*device)->name(), workers);
  if (Status made = tunnel->make(options, std::move(*device)); !made) {
    return pass(std::move(made));
  }
  return tunnel;
}

Result<std::unique_ptr<Tunnel>> Tunnel::adopt(os::Fd queue, TunnelOptions options) {
  auto device = os::TunDevice::adopt(std::move(queue), {.offloads = options.path.tun_offloads});
  if (!device) return pass(std::move(device));
  auto tunnel = std::make_unique<Tunnel>(Key{}, (*device)->name(), 1);
  if (Status made = tunnel->make(options, std::move(*device)); !made) {
    return pass(std::move(made));
  }
  return tunnel;
}

Tunnel::Tunnel(Key, std::string interface, std::size_t workers)
    : interface_(std::move(interface)), tables_(rng_, workers) {}

Status Tunnel::make(const TunnelOptions& options, std::unique_ptr<os::TunDevice> device) {
  for (auto* flag : {&wake_, &ended_}) {
    auto made = os::EventFd::create();
    if (!made) return pass(std::move(made));
    flag->emplace(std::move(*made));
  }

  const std::size_t count = tables_.worker_mailboxes.size();
  std::vector<std::unique_ptr<os::TunDevice>> queues;
  queues.push_back(std::move(device));
  while (queues.size() < count) {
    auto queue = queues.front()->open_queue();
    if (!queue) return pass(std::move(queue));
    queues.push_back(std::move(*queue));
  }
  for (std::size_t i = 0; i < count; ++i) {
    auto aead =
        options.make_aead ? options.make_aead() : crypto::make_aead_batch(options.path.aead);
    if (!aead) {
      return fail(ErrorCode::Unsupported,
                  "this machine does not have the AEAD library that was asked for; leave it to "
                  "ginnel to choose");
    }
    auto worker = TunnelWorker::create(tables_, i, std::move(queues[i]), std::move(aead), *wake_);
    if (!worker) return pass(std::move(worker));
    // Until the interface says so itself, which it may not where we may not look.
    (*worker)->set_mtu(options.mtu);
    workers_.push_back(std::move(*worker));
  }
  ControlOptions control{.interface = interface_,
                         .listen_address = options.listen_address,
                         .socket = {.gso = options.path.udp_gso,
                                    .gro = options.path.udp_gro,
                                    .system = options.udp_system},
                         .on_event = options.on_event};
  auto loop = ControlLoop::create(tables_, workers_, *wake_, *ended_, std::move(control));
  if (!loop) return pass(std::move(loop));
  control_ = std::move(*loop);

  threads_.emplace_back([this](const std::stop_token& stop) {
    os::set_thread_name("wg-control");
    control_->run(stop);
  });
  for (const auto& worker : workers_) {
    threads_.emplace_back([&worker](const std::stop_token& stop) {
      os::set_thread_name("wg-data");
      worker->run(stop);
    });
  }
  return ok();
}

Tunnel::~Tunnel() {
  for (std::jthread& thread : threads_) thread.request_stop();
  wake_->raise();
  for (const auto& worker : workers_) worker->wake();
  threads_.clear();  // Joins.
  // The engine's last disposals need workers that are outside a turn; they are, and stay so.
  control_.reset();
  workers_.clear();
}

Status Tunnel::configure(wg::DeviceChange change) { return control_->configure(std::move(change)); }

Result<wg::DeviceStatus> Tunnel::observe() { return control_->observe(); }

}  // namespace ginnel::tunnel
