#include <fmt/format.h>

#include "base/log.h"
#include "os/clock.h"
#include "os/network_monitor.h"
#include "os/service_notifier.h"
#include "service/quick/endpoint_watch.h"
#include "service/quick/held_tunnel.h"

namespace ginnel::quick {
namespace {

constexpr Duration kLookInterval = 15s;
constexpr Duration kLockInterval = 100ms;

Result<bool> link_exists(const std::string& interface) {
  auto rtnetlink = os::Rtnetlink::open();
  if (!rtnetlink) return pass(std::move(rtnetlink));
  const auto links = rtnetlink->read_links();
  if (!links) return std::unexpected(links.error());
  return std::ranges::find(*links, interface, &hostnet::Link::name) != links->end();
}

// A tunnel stands whose keeper was killed: it is brought to what the file says, and goes on. What
// was killed while it came up is taken back.
Result<bool> stands_already(const QuickOptions& options, Interruption& interruption) {
  auto held = hold_tunnel(options, interruption);
  if (!held) return pass(std::move(held));
  if (!held->standing.record()) return false;
  if (!held->standing.record()->risen) {
    const Status undone = held->standing.take_down();
    if (!undone) return std::unexpected(undone.error());
    return false;
  }
  return link_exists(held->source.interface);
}

class Keeper {
 public:
  Keeper(const QuickOptions& options, Interruption& interruption, os::ServiceNotifier& notifier,
         os::NetworkMonitor monitor, std::string interface)
      : options_(options),
        interruption_(interruption),
        notifier_(notifier),
        monitor_(std::move(monitor)),
        interface_(std::move(interface)) {}

  // Until the end. What ended it is in the result, after all was done that it asks for.
  Status run() {
    os::Clock clock;
    MonoTime look_at = clock.mono() + kLookInterval;
    for (;;) {
      const Duration left = std::max<Duration>(look_at - clock.mono(), Duration::zero());
      if (!interruption_.wait_for(monitor_.fd(), left)) return take_down();
      const auto events = monitor_.read();
      if (!events) return std::unexpected(events.error());
      const bool is_time = clock.mono() >= look_at;
      if (!is_time && std::ranges::none_of(*events, [&](const auto& e) { return concerns(e); })) {
        continue;
      }
      const auto exists = link_exists(interface_);
      if (!exists) return std::unexpected(exists.error());
      if (!*exists) return end_without_link();
      if (!is_time) continue;
      look();
      look_at = clock.mono() + kLookInterval;
    }
  }

 private:
  bool concerns(const os::NetworkEvent& event) const {
    using Kind = os::NetworkEvent::Kind;
    return event.kind == Kind::Resync ||
           (event.kind == Kind::LinkRemoved && event.interface == interface_);
  }

  Status take_down() {
    notifier_.stopping();
    interruption_.begin_again();
    log::info("interface {}: is taken down, as a signal asked", interface_);
    for (;;) {
      Status done = down(options_, interruption_);
      // A `reload` may be looking names up.
      if (done || done.error().code != ErrorCode::AlreadyExists) return done;
      if (Status going = interruption_.wait(kLockInterval); !going) return done;
    }
  }

  // Somebody deleted it: the one who takes the tunnel down at this moment, or nobody that knows
  // what belongs to it.
  Status end_without_link() {
    for (;;) {
      auto standing = Standing::open(options_.run_directory, interface_, interruption_);
      if (standing && !standing->record()) {
        log::info("interface {} was taken down: ends", interface_);
        return ok();
      }
      if (standing) break;
      if (standing.error().code != ErrorCode::AlreadyExists) return pass(std::move(standing));
      if (Status going = interruption_.wait(kLockInterval); !going) return going;
    }
    log::warn("interface {} was deleted or renamed: what belongs to it is taken back", interface_);
    if (Status undone = down(options_, interruption_); !undone) return undone;
    return fail(ErrorCode::Io,
                fmt::format("interface {} was deleted or renamed by another program", interface_));
  }

  // A file that is being edited, or a resolver that is away, is no reason to end.
  void look() {
    const auto source = read_source(options_.configuration);
    if (source && source->interface == interface_) {
      const Status looked = watch_.look(*source, config::LostPeers::Which::Sent);
      if (!looked) log::warn("{}", looked.error().message);
    } else if (!source) {
      log::warn("{}", source.error().message);
    }
  }

  const QuickOptions& options_;
  Interruption& interruption_;
  os::ServiceNotifier& notifier_;
  os::NetworkMonitor monitor_;
  const std::string interface_;
  EndpointWatch watch_;
};

}  // namespace

Status stay(const QuickOptions& options, Interruption& interruption) {
  // First of all: no command of the file is to speak for us.
  os::ServiceNotifier notifier = os::ServiceNotifier::from_environment();
  if (!notifier.is_listening()) interruption.end_on_hangup();
  const auto stands = stands_already(options, interruption);
  if (!stands) return std::unexpected(stands.error());
  Status risen = *stands ? reload(options, interruption) : up(options, interruption);
  if (!risen) return risen;
  const auto source = read_text(options.configuration);
  if (!source) return std::unexpected(source.error());
  auto monitor = os::NetworkMonitor::open();
  if (!monitor) return pass(std::move(monitor));
  notifier.ready();
  return Keeper(options, interruption, notifier, std::move(*monitor), source->interface).run();
}

}  // namespace ginnel::quick
