#include "service/tunnel/dev.h"

#include "base/log.h"
#include "os/process.h"
#include "os/signal_fd.h"

namespace ginnel::tunnel {
namespace {

enum Token : std::uint64_t { kSignal, kTunnelEnded, kSocketGone };

}  // namespace

Status run_dev(DevOptions options, const std::function<Status()>& ready) {
  auto signals = os::SignalFd::create();
  if (!signals) return pass(std::move(signals));
  auto tunnel = Tunnel::start(std::move(options.tunnel));
  if (!tunnel) return pass(std::move(tunnel));
  auto uapi = UapiServer::create(**tunnel, std::move(options.uapi));
  if (!uapi) return pass(std::move(uapi));
  std::jthread serving([&](const std::stop_token& stop) {
    os::set_thread_name("wg-uapi");
    (*uapi)->run(stop);
  });

  auto poller = os::Poller::create();
  if (!poller) return pass(std::move(poller));
  const std::pair<int, Token> watched[] = {{signals->fd(), kSignal},
                                           {(*tunnel)->ended_fd(), kTunnelEnded},
                                           {(*uapi)->ended_fd(), kSocketGone}};
  for (const auto& [fd, token] : watched) {
    if (Status added = poller->add(fd, token, os::Interest::Read); !added) return added;
  }
  Status result = ready();
  const std::string& name = (*tunnel)->interface_name();
  if (result) {
    log::info("interface {}: ready, with {} for encryption; \"wg\" configures it", name,
              (*tunnel)->aead_name());
  }
  for (bool running = result.has_value(); running;) {
    for (const os::Ready& happened : poller->wait_until(kNever)) {
      if (happened.token == kSignal) {
        const auto signal = signals->take();
        const bool hangup = signal == os::Signal::Reload && options.ends_on_hangup;
        if (signal != os::Signal::Stop && !hangup) continue;
        log::info("interface {}: ends, as a signal asked", name);
      } else if (happened.token == kTunnelEnded) {
        log::info("interface {} was deleted: ends", name);
      } else {
        log::info("interface {}: ends, because {} was removed", name, (*uapi)->path());
      }
      running = false;
      break;
    }
  }
  serving.request_stop();
  (*uapi)->wake();
  return result;
}

}  // namespace ginnel::tunnel
