#include <fmt/format.h>

#include <tuple>

#include "base/log.h"
#include "service/quick/held_tunnel.h"
#include "service/quick/resolver.h"
#include "service/quick/wishes.h"
#include "service/tunnel/found_devices.h"

namespace ginnel::quick {
namespace {

using hostnet::StandingRecord;

// What has to be taken back when the change is cut off in the middle: the old and the new.
StandingRecord both(const StandingRecord& before, StandingRecord after) {
  const auto add = [](auto& to, const auto& from) {
    to.insert(to.end(), from.begin(), from.end());
  };
  add(after.interface.addresses, before.interface.addresses);
  add(after.interface.routes, before.interface.routes);
  add(after.rules, before.rules);
  if (after.resolver.empty()) {
    after.resolver = before.resolver;
    after.silenced = before.silenced;
  }
  return after;
}

bool is_empty(const wg::DeviceChange& change) {
  return !change.private_key && !change.listen_port && !change.fwmark && change.peers.empty();
}

// A tunnel that stands and is to be otherwise. What fails leaves it as it was.
class Change {
 public:
  Change(const QuickOptions& options, const Source& source, Standing& standing,
         Interruption& interruption)
      : options_(options),
        source_(source),
        standing_(standing),
        interruption_(interruption),
        before_(*standing.record()) {}

  Status run() {
    if (Status planned = plan(); !planned) return planned;
    if (Status written = standing_.write(both(before_, after_)); !written) return written;
    os::HostApplier& applier = standing_.applier();
    applier.assume(hostnet::standing_tables(before_));
    Status done = applier.apply(wishes_.host);
    if (done) done = tell_resolver(before_, after_);
    // Last, because it is done whole or not at all.
    if (done && !is_empty(change_)) done = device_->configure(std::move(change_));
    if (done) return standing_.write(std::move(after_));
    std::ignore = tell_resolver(after_, before_);
    take_back();
    return done;
  }

 private:
  Status plan() {
    auto device = tunnel::find_device(source_.interface);
    if (!device) return pass(std::move(device));
    device_ = std::move(*device);
    const auto status = device_->observe();
    if (!status) return std::unexpected(status.error());
    if (source_.file.peers.empty() && !status->peers.empty() && !options_.confirm_removal) {
      return fail(ErrorCode::Conflict,
                  fmt::format("{}: it has no peers, and {} has {}; --confirm-removal removes them",
                              source_.path, source_.interface, status->peers.size()));
    }
    const auto names =
        look_up_names(source_, options_.lookup_retries, interruption_, options_.locked_endpoints);
    if (!names) return std::unexpected(names.error());
    change_ = config::quick_difference(source_.file, *names, *status);

    TunnelFacts facts = facts_of(source_.file, *names);
    // One that the file named until now goes with its line; one that `wg set` chose stays.
    const bool is_own_mark =
        status->fwmark == before_.fwmark || status->fwmark == before_.file_fwmark;
    if (!source_.file.fwmark && !is_own_mark) facts.fwmark = status->fwmark;
    os::HostApplier& applier = standing_.applier();
    const auto tunnel = tunnel_of(source_, facts, before_, applier.rtnetlink());
    if (!tunnel) return std::unexpected(tunnel.error());
    const auto host = applier.read();
    if (!host) return std::unexpected(host.error());
    auto wishes = hostnet::quick_wishes(*host, *tunnel);
    if (!wishes) return pass(std::move(wishes));
    wishes_ = std::move(*wishes);
    change_.fwmark.reset();
    if (wishes_.fwmark != status->fwmark) change_.fwmark = wishes_.fwmark;
    return note(facts.fwmark);
  }

  // What will stand.
  Status note(std::uint32_t chosen_mark) {
    after_ = before_;
    note_in(after_, wishes_);
    after_.configuration = source_.path;
    after_.file_fwmark = source_.file.fwmark.value_or(0);
    after_.fwmark = wishes_.fwmark != chosen_mark ? wishes_.fwmark : 0;
    if (source_.file.listen_port) after_.listen_port = 0;
    after_.dns = resolver_of(source_.file);
    if (after_.dns.servers.empty()) {
      after_.resolver.clear();
      after_.silenced.clear();
    } else if (after_.resolver.empty()) {
      auto chosen = Resolver(standing_.applier().claims(), interruption_).choose();
      if (!chosen) return pass(std::move(chosen));
      after_.resolver = std::move(chosen->name);
      after_.silenced = std::move(chosen->silenced);
    }
    for (const std::string& warning : wishes_.warnings) log::warn("{}", warning);
    return ok();
  }

  Status tell_resolver(const StandingRecord& from, const StandingRecord& to) {
    if (from.dns == to.dns) return ok();
    const Resolver resolver(standing_.applier().claims(), interruption_);
    return to.resolver.empty() ? resolver.take_back(choice_of(from))
                               : resolver.tell(choice_of(to), to.dns);
  }

  void take_back() {
    os::HostApplier& applier = standing_.applier();
    Status undone = applier.undo_changes();
    if (undone)
      undone = applier.apply({.tables = hostnet::standing_tables(before_),
                              .sysctls = hostnet::standing_settings(before_)});
    if (undone) undone = standing_.write(before_);
    if (!undone) {
      log::error("{}: could not be taken back whole: {}", source_.interface,
                 undone.error().message);
    }
  }

  const QuickOptions& options_;
  const Source& source_;
  Standing& standing_;
  Interruption& interruption_;
  const StandingRecord before_;
  StandingRecord after_;
  hostnet::QuickWishes wishes_;
  wg::DeviceChange change_;
  std::unique_ptr<tunnel::WgDevice> device_;
};

}  // namespace

Status reload(const QuickOptions& options, Interruption& interruption) {
  auto held = hold_tunnel(options, interruption);
  if (!held) return pass(std::move(held));
  auto& [source, standing] = *held;
  warn_of(source);
  if (!standing.record()) {
    return fail(ErrorCode::NotFound,
                fmt::format("interface {} was not brought up by ginnel; \"ginnel up {}\" does that",
                            source.interface, options.configuration));
  }
  if (Status named = standing.check_name(); !named) return named;
  return Change(options, source, standing, interruption).run();
}

}  // namespace ginnel::quick
