#include <fmt/format.h>

#include <tuple>

#include "base/log.h"
#include "os/interface_index.h"
#include "os/tun_holder.h"
#include "service/quick/held_tunnel.h"
#include "service/quick/hooks.h"
#include "service/quick/resolver.h"
#include "service/quick/wishes.h"
#include "service/tunnel/found_devices.h"

namespace ginnel::quick {
namespace {

// What can be known to be wrong before anything is touched.
Status check_early(const Source& source) {
  const bool routes_anything = std::ranges::any_of(
      source.file.peers, [](const config::QuickPeer& peer) { return !peer.allowed_ips.empty(); });
  if (!routes_anything) return ok();
  const auto table = table_of(source);
  return table ? ok() : Status(std::unexpected(table.error()));
}

// A tunnel that comes up, step by step. Whoever drives it takes down what stands when one fails.
class Rise {
 public:
  Rise(const QuickOptions& options, const Source& source, Standing& standing,
       Interruption& interruption)
      : options_(options), source_(source), standing_(standing), interruption_(interruption) {}

  Status run() {
    if (Status made = make(); !made) return made;
    if (Status ran = hooks("PreUp", source_.file.hooks.pre_up); !ran) return ran;
    if (Status configured = configure(); !configured) return configured;
    if (Status connected = connect_host(); !connected) return connected;
    if (Status told = tell_resolver(); !told) return told;
    if (Status ran = hooks("PostUp", source_.file.hooks.post_up); !ran) return ran;
    hostnet::StandingRecord record = *standing_.record();
    record.risen = true;
    return standing_.write(std::move(record));
  }

 private:
  Status hooks(std::string_view kind, const std::vector<config::QuickHook>& list) {
    return run_hooks(kind, list, source_, interruption_);
  }

  Status make() {
    hostnet::StandingRecord record{.configuration = source_.path};
    if (Status written = standing_.write(record); !written) return written;
    auto backend = make_device({.interface = source_.interface,
                                .backend = options_.backend,
                                .program = options_.program,
                                .flags = options_.device_flags,
                                .lock_fd = standing_.applier().claims().lock_fd()},
                               standing_.applier().rtnetlink(), interruption_);
    if (!backend) return pass(std::move(backend));
    record.backend = std::move(*backend);
    record.index = os::interface_index(source_.interface).value_or(0);
    if (Status written = standing_.write(std::move(record)); !written) return written;
    if (Status going = interruption_.check(); !going) return going;
    auto device = tunnel::find_device(source_.interface);
    if (!device) return pass(std::move(device));
    device_ = std::move(*device);
    return ok();
  }

  Status configure() {
    const auto names =
        look_up_names(source_, options_.lookup_retries, interruption_, options_.locked_endpoints);
    if (!names) return std::unexpected(names.error());
    return device_->configure(config::quick_addition(source_.file, *names));
  }

  Status connect_host() {
    const auto status = device_->observe();
    if (!status) return std::unexpected(status.error());
    hostnet::StandingRecord record = *standing_.record();
    record.file_fwmark = source_.file.fwmark.value_or(0);
    os::HostApplier& applier = standing_.applier();
    const auto tunnel = tunnel_of(source_, facts_of(*status), record, applier.rtnetlink());
    if (!tunnel) return std::unexpected(tunnel.error());
    const auto host = applier.read();
    if (!host) return std::unexpected(host.error());
    const auto wishes = hostnet::quick_wishes(*host, *tunnel);
    if (!wishes) return std::unexpected(wishes.error());
    note_in(record, *wishes);
    if (wishes->fwmark != status->fwmark) record.fwmark = wishes->fwmark;
    if (Status written = standing_.write(std::move(record)); !written) return written;
    if (wishes->fwmark != status->fwmark) {
      Status marked = device_->configure({.fwmark = wishes->fwmark});
      if (!marked) return marked;
    }
    if (Status applied = applier.apply(wishes->host); !applied) return applied;
    if (Status noted = note_port(); !noted) return noted;
    for (const std::string& warning : wishes->warnings) log::warn("{}", warning);
    return interruption_.check();
  }

  // The kernel's own interface chooses a port when it goes up.
  Status note_port() {
    if (source_.file.listen_port) return ok();
    const auto status = device_->observe();
    if (!status) return std::unexpected(status.error());
    hostnet::StandingRecord record = *standing_.record();
    record.listen_port = status->listen_port;
    return standing_.write(std::move(record));
  }

  // After the routes: nobody is to ask the tunnel's servers around the tunnel.
  Status tell_resolver() {
    const hostnet::WantedResolver wanted = resolver_of(source_.file);
    if (wanted.servers.empty()) return ok();
    const Resolver resolver(standing_.applier().claims(), interruption_);
    auto chosen = resolver.choose();
    if (!chosen) return pass(std::move(chosen));
    hostnet::StandingRecord record = *standing_.record();
    record.resolver = chosen->name;
    record.silenced = chosen->silenced;
    record.dns = wanted;
    if (Status written = standing_.write(std::move(record)); !written) return written;
    return resolver.tell(*chosen, wanted);
  }

  const QuickOptions& options_;
  const Source& source_;
  Standing& standing_;
  Interruption& interruption_;
  std::unique_ptr<tunnel::WgDevice> device_;
};

}  // namespace

Status up(const QuickOptions& options, Interruption& interruption) {
  auto held = hold_tunnel(options, interruption, &check_early);
  if (!held) return pass(std::move(held));
  auto& [source, standing] = *held;
  warn_of(source);
  // Of one that was killed while it came up.
  if (standing.record() && !standing.record()->risen) {
    if (Status cleaned = standing.take_down(); !cleaned) return cleaned;
  }
  if (Status named = standing.check_name(); !named) return named;
  const auto links = standing.applier().rtnetlink().read_links();
  if (!links) return std::unexpected(links.error());
  const auto link = std::ranges::find(*links, source.interface, &hostnet::Link::name);
  if (link != links->end() && !(link->kind == "tun" && os::await_end_of_tun(link->name))) {
    const std::string remedy =
        standing.record() ? fmt::format("\"ginnel down {}\" takes it down", options.configuration)
                          : "take it down with what made it, or give the file another name";
    return fail(ErrorCode::AlreadyExists,
                fmt::format("interface {} exists; {}", source.interface, remedy));
  }
  // Of a tunnel whose process was killed.
  if (Status cleaned = standing.take_down(); !cleaned) return cleaned;
  Status risen = Rise(options, source, standing, interruption).run();
  if (risen) return ok();
  if (Status undone = standing.take_down(); !undone) {
    log::error("{}: could not be taken back whole: {}", source.interface, undone.error().message);
  }
  return risen;
}

}  // namespace ginnel::quick
