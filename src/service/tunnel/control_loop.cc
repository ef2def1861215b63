#include "service/tunnel/control_loop.h"

#include <fmt/format.h>

#include <future>

namespace ginnel::tunnel {
namespace {

// The receiver index lies there in little endian.
constexpr os::SocketChoice kLaneOfTransport{.first = wg::TransportView::kType,
                                            .at = offsetof(wg::TransportHeader, receiver) + 3,
                                            .shift = wg::SessionTable::kLaneShift - 24};

}  // namespace

Result<std::unique_ptr<ControlLoop>> ControlLoop::create(
    wg::SharedTables& tables, const std::vector<std::unique_ptr<TunnelWorker>>& workers,
    const os::EventFd& wake, const os::EventFd& ended, ControlOptions options) {
  auto poller = os::Poller::create();
  if (!poller) return pass(std::move(poller));
  if (Status added = poller->add(wake.fd(), kWake, os::Interest::Read); !added) {
    return pass(std::move(added));
  }
  auto loop = std::make_unique<ControlLoop>(Key{}, tables, workers, wake, ended, std::move(options),
                                            std::move(*poller));
  auto link = os::TunWatch::open(workers.front()->queue(), loop->poller_, kLink);
  if (!link) return pass(std::move(link));
  loop->link_ = std::move(*link);
  loop->look_at_link();
  wg::DeviceChange first;
  first.listen_port = 0;
  if (Status bound = loop->apply_sockets(first); !bound) return pass(std::move(bound));
  return loop;
}

ControlLoop::ControlLoop(Key, wg::SharedTables& tables,
                         const std::vector<std::unique_ptr<TunnelWorker>>& workers,
                         const os::EventFd& wake, const os::EventFd& ended, ControlOptions options,
                         os::Poller poller)
    : workers_(workers),
      wake_(wake),
      ended_(ended),
      options_(std::move(options)),
      poller_(std::move(poller)),
      engine_(tables, rng_) {}

void ControlLoop::run(const std::stop_token& stop) {
  while (!stop.stop_requested() && !interface_gone()) {
    turn(poller_.wait_until(engine_.next_timeout()));
  }
  finished_.store(true);
  carry_out_requests(false);
  ended_.raise();
}

bool ControlLoop::interface_gone() const {
  return std::any_of(workers_.begin(), workers_.end(),
                     [](const auto& worker) { return worker->interface_gone(); });
}

void ControlLoop::turn(std::span<const os::Ready> ready) {
  for (const os::Ready& one : ready) {
    if (one.token == kWake) wake_.take();
    if (one.token == kLink) look_at_link();
  }
  const Now now = clock_.now();
  const bool more = engine_.handle_mailbox(now, outbox_);
  engine_.handle_timeout(now, outbox_);
  flush();
  carry_out_requests(true);
  if (more) wake_.raise();
}

// Whoever sets the interface's MTU or takes it up and down: workers pad packets up to the MTU, and
// the engine speaks only while the interface is up.
void ControlLoop::look_at_link() {
  const auto state = link_->look();
  if (!state) return;
  if (state->mtu) {
    for (const auto& worker : workers_) worker->set_mtu(*state->mtu);
  }
  engine_.set_up(clock_.now(), state->up, outbox_);
}

// Sends and tells what the engine has decided.
void ControlLoop::flush() {
  for (wg::ControlDatagram& datagram : outbox_.datagrams) {
    sending_.push_back({.bytes = {datagram.bytes.data(), datagram.size}, .path = &datagram.path});
  }
  if (!sending_.empty() && !sockets_.empty()) sockets_.front().send(sending_);
  sending_.clear();
  if (options_.on_event) {
    for (const wg::EngineEvent& event : outbox_.events) options_.on_event(event);
  }
  if (outbox_.wake_workers) {
    for (const auto& worker : workers_) worker->wake();
  }
  outbox_.clear();
}

Status ControlLoop::configure(wg::DeviceChange change) {
  return call([&] { return apply(change); });
}

Result<wg::DeviceStatus> ControlLoop::observe() {
  wg::DeviceStatus result;
  const Status done = call([&] {
    result = status();
    return ok();
  });
  if (!done) return std::unexpected(done.error());
  return result;
}

// Runs `work` on the control thread and waits for it.
Status ControlLoop::call(std::function<Status()> work) {
  std::promise<Status> promise;
  std::future<Status> answer = promise.get_future();
  // The task owns the promise: whoever fulfils it may still be inside it when the answer is here.
  const bool queued = requests_.push([&, promise = std::move(promise)](bool alive) mutable {
    promise.set_value(alive ? work()
                            : fail(ErrorCode::Unavailable,
                                   fmt::format("{}: the interface is gone", options_.interface)));
  });
  if (!queued) {
    return fail(ErrorCode::Exhausted, fmt::format("{}: {} requests wait already; try again later",
                                                  options_.interface, kMaxRequests));
  }
  wake_.raise();
  if (finished_.load()) carry_out_requests(false);  // Nobody else will.
  return answer.get();
}

void ControlLoop::carry_out_requests(bool alive) {
  while (std::optional<Task> task = requests_.pop()) (*task)(alive);
}

// Looks at the link first: who takes the interface up and then changes it must not find it believed
// down because the kernel's notice of it is still unread.
Status ControlLoop::apply(wg::DeviceChange& change) {
  look_at_link();
  if (Status possible = engine_.check(change); !possible) return possible;
  if (Status bound = apply_sockets(change); !bound) return bound;
  engine_.apply(clock_.now(), std::move(change), outbox_);
  flush();
  return ok();
}

// Binds and marks, or changes nothing. Port 0 keeps a port that was chosen before, so that applying
// a file again does not cut every session off.
Status ControlLoop::apply_sockets(const wg::DeviceChange& change) {
  const std::uint32_t fwmark = change.fwmark.value_or(fwmark_);
  const std::uint16_t current = sockets_.empty() ? 0 : sockets_.front().port();
  const std::uint16_t port = change.listen_port.value_or(current);
  const bool keeps = !sockets_.empty() && (port == current || (port == 0 && port_was_chosen_));
  if (!keeps) {
    if (Status settled = await_sockets(); !settled) return settled;
    const std::size_t each = std::max<std::size_t>(1, kSpread / workers_.size());
    os::UdpListenOptions options{.address = options_.listen_address,
                                 .port = port,
                                 .pairs = workers_.size() * each,
                                 .socket = options_.socket,
                                 .choice = kLaneOfTransport};
    options.socket.fwmark = fwmark;
    auto bound = os::UdpPair::bind(options);
    if (!bound) return pass(std::move(bound));
    std::vector<os::UdpPair> senders;
    for (const os::UdpPair& pair : *bound) {
      auto sender = pair.duplicate();
      if (!sender) return pass(std::move(sender));
      senders.push_back(std::move(*sender));
    }
    udp_totals_.replace(*bound, senders);
    // In turn, so that neighbouring lanes are different workers'.
    std::vector<TunnelWorker::Sockets> shares(workers_.size());
    for (std::size_t i = 0; i < bound->size(); ++i) {
      shares[i % shares.size()].push_back(std::move((*bound)[i]));
    }
    for (std::size_t i = 0; i < shares.size(); ++i) workers_[i]->give_sockets(std::move(shares[i]));
    udp_totals_.retire_overflows(sockets_);
    sockets_ = std::move(senders);
    port_was_chosen_ = port == 0;
  } else if (fwmark != fwmark_) {
    for (os::UdpPair& pair : sockets_) {
      if (Status marked = pair.set_fwmark(fwmark); !marked) return marked;
    }
  }
  fwmark_ = fwmark;
  return ok();
}

// The sockets before the last ones may still be open; one of the ports that a caller may ask for is
// theirs.
Status ControlLoop::await_sockets() {
  for (const auto& worker : workers_) {
    if (sockets_.empty() || worker->await_sockets(kMaxSocketWait)) continue;
    return fail(ErrorCode::Unavailable,
                fmt::format("{}: the data path is too busy to change the port; try again later",
                            options_.interface));
  }
  return ok();
}

wg::DeviceStatus ControlLoop::status() {
  wg::DeviceStatus status = engine_.status();
  status.listen_port = sockets_.empty() ? 0 : sockets_.front().port();
  status.fwmark = fwmark_;
  wg::DropCounters::Totals drops{};
  engine_.drops().add_to(drops);
  for (const auto& worker : workers_) worker->drops().add_to(drops);
  for (std::size_t i = 0; i < drops.size(); ++i) {
    if (drops[i] == 0) continue;
    status.counters.push_back(
        {fmt::format("drop_{}", wg::name_of(static_cast<wg::Drop>(i))), drops[i]});
  }
  for (std::size_t i = 0; i < static_cast<std::size_t>(os::TunCount::kCount); ++i) {
    const auto count = static_cast<os::TunCount>(i);
    std::uint64_t total = 0;
    for (const auto& worker : workers_) total += worker->tun_counters().of(count);
    if (total != 0) status.counters.push_back({std::string(os::name_of(count)), total});
  }
  udp_totals_.append(sockets_, status.counters);
  return status;
}

}  // namespace ginnel::tunnel
