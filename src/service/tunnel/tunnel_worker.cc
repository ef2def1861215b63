#include "service/tunnel/tunnel_worker.h"

#include <thread>

#include "base/check.h"
#include "os/process.h"

namespace ginnel::tunnel {

Result<std::unique_ptr<TunnelWorker>> TunnelWorker::create(wg::SharedTables& tables,
                                                           std::size_t index,
                                                           std::unique_ptr<os::TunDevice> queue,
                                                           std::unique_ptr<crypto::AeadBatch> aead,
                                                           const os::EventFd& wake_control) {
  auto poller = os::Poller::create();
  if (!poller) return pass(std::move(poller));
  auto wake = os::EventFd::create();
  if (!wake) return pass(std::move(wake));
  if (Status added = poller->add(wake->fd(), kWake, os::Interest::Read); !added) {
    return pass(std::move(added));
  }
  if (Status added = poller->add(queue->fd(), kTun, os::Interest::Read); !added) {
    return pass(std::move(added));
  }
  return std::make_unique<TunnelWorker>(Key{}, tables, index, std::move(queue), std::move(aead),
                                        wake_control, std::move(*poller), std::move(*wake));
}

TunnelWorker::TunnelWorker(Key, wg::SharedTables& tables, std::size_t index,
                           std::unique_ptr<os::TunDevice> queue,
                           std::unique_ptr<crypto::AeadBatch> aead, const os::EventFd& wake_control,
                           os::Poller poller, os::EventFd wake)
    : worker_(tables, index, std::move(aead)),
      queue_(std::move(queue)),
      wake_control_(wake_control),
      poller_(std::move(poller)),
      wake_(std::move(wake)) {
  sealed_.reserve(net::PacketBatch::kMaxPackets);
  opened_.reserve(os::ReceiveBatch::kMaxDatagrams);
}

void TunnelWorker::run(const std::stop_token& stop) {
  os::set_thread_nice(kNice);
  while (!stop.stop_requested() && !interface_gone()) turn(wait());
  wake_control_.raise();
}

std::span<const os::Ready> TunnelWorker::wait() {
  wait_begun_ = clock_.mono();
  judge_load();
  if (tun_has_more_) return poller_.wait_until(MonoTime{});
  if (expects_more_) {
    do {
      const auto ready = poller_.wait_until(MonoTime{});
      if (!ready.empty()) return ready;
      std::this_thread::yield();
    } while (clock_.mono() - wait_begun_ < kLookAround);
  }
  return poller_.wait_until(next_rest_end());
}

// What is little is done at once, what is much takes its turn: as the kernel does with its own
// network, in interrupts first and then in a thread.
void TunnelWorker::judge_load() {
  if (!load_.ended(wait_begun_)) return;
  const LoadWindow::Load load = load_.next(wait_begun_, os::thread_cpu_time());
  if (load == load_now_) return;
  load_now_ = load;
  const bool is_light = load == LoadWindow::Load::Light;
  os::set_thread_nice(is_light ? kLightNice : kNice, is_light ? kLightSlice : Duration{});
}

void TunnelWorker::give_sockets(Sockets sockets) {
  CHECK(!sockets.empty() && sockets.size() <= kMaxSockets);
  sockets_settled_.acquire();
  CHECK(new_sockets_.push(std::move(sockets)));
  wake();
}

bool TunnelWorker::await_sockets(Duration patience) {
  if (!sockets_settled_.try_acquire_for(patience)) return false;
  sockets_settled_.release();
  return true;
}

void TunnelWorker::turn(std::span<const os::Ready> ready) {
  const MonoTime now = clock_.mono();  // A batch shares it.
  expects_more_ = now - wait_begun_ < kLookAround;
  packets_.set_mtu(mtu_.load(std::memory_order_relaxed));
  end_rests(now);
  bool tun_ready = tun_has_more_;
  worker_.begin_turn();
  for (const os::Ready& one : ready) {
    switch (one.token) {
      case kWake:
        handle_wake(now);
        break;
      case kTun:
        tun_ready = true;
        break;
      default:
        carry_in(now, one.token);
        break;
    }
  }
  if (tun_ready) carry_out(now);
  worker_.end_turn();
  if (worker_.take_wake_control()) wake_control_.raise();
}

void TunnelWorker::handle_wake(MonoTime now) {
  wake_.take();
  while (std::optional<Sockets> fresh = new_sockets_.pop()) {
    sockets_ = std::move(*fresh);  // Closes the old ones, and the poller forgets them.
    for (std::uint64_t source = kFirstSocket; source < source_count(); ++source) {
      rests_[source] = {};
      if (descriptor_of(source) < 0) continue;
      if (!poller_.add(descriptor_of(source), source, os::Interest::Read)) {
        rests_[source].begin(now);
      }
    }
    sockets_settled_.release();
  }
  worker_.handle_commands();
  while (worker_.load_staged(packets_)) seal_and_send(now);
}

os::UdpSocket* TunnelWorker::socket_of(std::uint64_t source) const {
  if (source < kFirstSocket || source >= source_count()) return nullptr;
  const os::UdpPair& pair = sockets_[(source - kFirstSocket) / 2];
  return (source - kFirstSocket) % 2 == 0 ? pair.v4() : pair.v6();
}

int TunnelWorker::descriptor_of(std::uint64_t source) const {
  if (source == kTun) return queue_->fd();
  const os::UdpSocket* const socket = socket_of(source);
  return socket != nullptr ? socket->fd() : -1;
}

void TunnelWorker::rest(std::uint64_t source, MonoTime now) {
  static_cast<void>(poller_.remove(descriptor_of(source)));
  rests_[source].begin(now);
}

void TunnelWorker::end_rests(MonoTime now) {
  for (std::uint64_t source = 0; source < source_count(); ++source) {
    if (!rests_[source].take_if_over(now) || descriptor_of(source) < 0) continue;
    if (!poller_.add(descriptor_of(source), source, os::Interest::Read)) rests_[source].begin(now);
  }
}

MonoTime TunnelWorker::next_rest_end() const {
  MonoTime next = kNever;
  for (std::size_t i = 0; i < source_count(); ++i) next = std::min(next, rests_[i].until());
  return next;
}

void TunnelWorker::carry_out(MonoTime now) {
  const std::uint64_t reads_before = queue_->counters().of(os::TunCount::Reads);
  const os::TunDevice::State state = queue_->read_batch(packets_);
  tun_has_more_ = state == os::TunDevice::State::Full;
  if (state == os::TunDevice::State::Gone) interface_gone_.store(true, std::memory_order_release);
  if (state == os::TunDevice::State::Failed) {
    rest(kTun, now);
  } else {
    rests_[kTun].forget_failures();
  }
  seal_and_send(now);
  // What had to wait for earlier packets of its peer follows them at once.
  while (worker_.load_staged(packets_)) seal_and_send(now);
  if (queue_->counters().of(os::TunCount::Reads) - reads_before >= kFlood) {
    std::this_thread::yield();
  }
}

void TunnelWorker::seal_and_send(MonoTime now) {
  worker_.seal(now, packets_, sealed_);
  if (!sockets_.empty()) sockets_.front().send(sealed_);
  sealed_.clear();
  packets_.clear();
}

std::size_t TunnelWorker::messages_to_read(std::uint64_t source) const {
  const std::size_t size = std::max<std::size_t>(1, message_bytes_[source]);
  return std::clamp<std::size_t>(kTurnBytes / size, 1, os::ReceiveBatch::kMaxMessages);
}

void TunnelWorker::carry_in(MonoTime now, std::uint64_t source) {
  os::UdpSocket* const socket = socket_of(source);
  if (socket == nullptr) return;
  const auto failures = [&] { return socket->counters().of(os::UdpCount::ReceiveFailed); };
  const std::uint64_t failures_before = failures();
  const std::size_t received = socket->receive(received_, messages_to_read(source));
  if (failures() != failures_before) return rest(source, now);
  if (received == 0) return;
  rests_[source].forget_failures();
  message_bytes_[source] =
      received * received_.datagrams().front().bytes.size() / received_.paths().size();
  worker_.open(now, received_.datagrams(), opened_);
  if (queue_->write(opened_) == os::TunDevice::State::Gone) {
    interface_gone_.store(true, std::memory_order_release);
  }
  if (queue_->loose_packets() >= kFlood) std::this_thread::yield();
  opened_.clear();
}

}  // namespace ginnel::tunnel
