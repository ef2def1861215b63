#include "service/gateway/gateway_process.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/log.h"
#include "base/text.h"
#include "core/gateway/failover.h"
#include "core/gateway/gateway_change.h"
#include "os/capability.h"
#include "os/clock.h"
#include "os/name_lookup.h"
#include "os/network_monitor.h"
#include "os/poller.h"
#include "os/process.h"
#include "os/service_notifier.h"
#include "service/gateway/control.h"
#include "service/gateway/endpoint_book.h"
#include "service/gateway/gateway_host.h"
#include "service/gateway/lan_resolver.h"
#include "service/gateway/launch.h"
#include "service/gateway/marked_lookup.h"
#include "service/gateway/tunnel_set.h"
#include "service/quick/aside.h"
#include "service/tunnel/host_lookups.h"

namespace ginnel::gateway {
namespace {

using hostnet::LockState;

// How often tunnels are asked what they have carried.
constexpr Duration kLookInterval = 200ms;
// Networks change in bursts; this long after the last event of one it is looked at once.
constexpr Duration kSettleTime = 100ms;
constexpr Duration kMaxSettleTime = 1s;
// Firewalls and leases change without a word.
constexpr Duration kHostInterval = 30s;
// Names are asked for again, through the tunnel: now and then, and when a peer does not answer.
constexpr Duration kRefreshInterval = 1h;
constexpr Duration kMinLookupInterval = 30s;
// Who watches the uplink learns of it each time, so it is done seldom.
constexpr Duration kMaxAskPause = 1h;
// Whitepaper, section 6.1: no session is used for longer after its handshake (REJECT_AFTER_TIME).
constexpr Duration kSessionLife = 180s;
// Whoever confirms needs a turn at the kill switch too, and a look takes up to half a second of it.
constexpr Duration kConfirmLookInterval = 1s;
// For as long as it runs. Port 53 of the LAN, bound to its interface, and files of others in /etc.
constexpr os::Capability kNeededCapabilities[] = {
    os::Capability::NetAdmin, os::Capability::NetBindService, os::Capability::NetRaw,
    os::Capability::DacOverride};

TunnelView view_of(const GatewayTunnel& tunnel, const TunnelFacts& facts,
                   const TunnelSet::Look& look, UnixTime now) {
  const std::string name = EndpointBook::name_of(tunnel);
  const bool is_up = look.last_handshake && now - *look.last_handshake < kSessionLife;
  return {.interface = tunnel.interface,
          .file = tunnel.path,
          .state = is_up ? TunnelState::Up : TunnelState::Idle,
          .public_key = look.public_key,
          .peer = tunnel.peer().public_key,
          .endpoint = look.endpoint,
          .endpoints = facts.endpoints,
          .name = name.empty() ? std::nullopt : std::optional(name),
          .addresses = tunnel.file.addresses,
          .dns = tunnel.dns,
          .mtu = facts.mtu,
          .ipv4 = tunnel.ipv4,
          .ipv6 = tunnel.ipv6,
          .last_handshake = look.last_handshake,
          .rx_bytes = look.traffic.received,
          .tx_bytes = look.traffic.sent};
}

class GatewayProcess {
 public:
  explicit GatewayProcess(const GatewayOptions& options) : options_(options) {}

  Status run();

 private:
  enum Token : std::uint64_t { kSignals, kNetwork, kLookups, kControl, kFirstTunnel };

  // Files that were read again, and what has yet to be looked up for them.
  struct Reload {
    std::uint64_t number = 0;
    GatewayConfig config{};
    std::vector<std::vector<net::Endpoint>> endpoints{};
    std::vector<std::string> awaited{};  // The name for each tunnel; empty: none.
  };

  Status start();
  Status listen_for_control();
  Status find_endpoints(std::vector<std::vector<net::Endpoint>>& endpoints);
  Result<std::vector<net::Address>> ask_in_clear(const std::string& name);
  Result<std::vector<net::Address>> ask_through_lock(const std::string& name);
  Status ask_to_confirm();
  Status watch();
  Status loop();
  void take_signals();
  Status handle(const os::Ready& ready);
  void handle_network(MonoTime now);
  void handle_lookups();
  bool take_addresses(const std::string& name, const std::vector<net::Address>& addresses);
  Status handle_deadlines(MonoTime now);
  void look_at_tunnels(MonoTime now);
  void follow(const Failover::Step& step, std::size_t before, MonoTime now);
  void follow_state(MonoTime now);
  void await_answer(MonoTime now);
  void ask_for_moved();
  void tell_connected();
  void look_up(std::size_t tunnel, MonoTime now);
  Status look_at_confirmation(MonoTime now);
  void begin_reload(std::uint64_t number);
  Status plan_reload(Reload& reload);
  void take_answer(const tunnel::HostLookups::Answer& answer, Reload& reload);
  void carry_out_reload();
  Status change_to(Reload& reload);
  void end_reload(std::uint64_t number, Result<ChangeView> outcome);
  void publish();
  void look_at_host(MonoTime now);
  void apply(std::string_view why);
  void serve_names();
  void serve_lan();
  const GatewayTunnel& active() const { return launch_->config.tunnels[facts_.active]; }
  MonoTime next_deadline() const;

  const GatewayOptions& options_;
  os::Clock clock_;
  os::ServiceNotifier notifier_ = os::ServiceNotifier::from_environment();
  std::optional<quick::Interruption> interruption_;
  std::optional<CheckedLaunch> launch_;
  std::optional<EndpointBook> book_;
  std::optional<GatewayHost> host_;
  TunnelSet tunnels_;
  LanResolver names_;
  GatewayFacts facts_;
  std::optional<Failover> failover_;
  std::optional<os::Poller> poller_;
  std::optional<os::NetworkMonitor> monitor_;
  std::optional<tunnel::HostLookups> lookups_;
  std::vector<TunnelSet::Look> looks_;  // The last at each tunnel.
  std::vector<MonoTime> asked_;         // When each tunnel's name was last looked up.
  std::size_t asking_ = 0;              // Lookups without an answer yet.
  std::optional<Reload> reload_;

  std::vector<Finding> findings_;
  UnixTime started_{};
  std::vector<std::uint64_t> failures_;
  std::vector<std::uint64_t> takeovers_;
  std::uint64_t failovers_ = 0;
  std::uint64_t reloads_ = 0;
  std::uint64_t last_request_ = 0;  // Of those who asked for a reload.
  // Last of what it looks at: its thread ends first.
  std::unique_ptr<Control> control_;

  bool stop_ = false;
  bool lock_is_lost_ = false;  // Somebody took it: nothing is locked at the end.
  Deadline look_;
  Deadline host_look_;
  Deadline settle_;
  MonoTime settle_limit_ = kNever;
  Deadline refresh_;
  Deadline confirm_look_;
  Deadline watchdog_;
  Deadline ask_;  // Names in clear, while no tunnel answers.
  Duration ask_pause_{};
};

Status GatewayProcess::run() {
  auto interruption = quick::Interruption::create();
  if (!interruption) return pass(std::move(interruption));
  interruption_ = std::move(*interruption);
  auto launch = check_launch(options_);
  if (!launch) return pass(std::move(launch));
  launch_ = std::move(*launch);
  auto host = GatewayHost::open(options_.run_directory, launch_->config, *interruption_);
  if (!host) return pass(std::move(host));
  host_.emplace(std::move(*host));
  if (Status started = start(); !started) {
    host_->give_lock_back();
    host_->take_back_rest();
    return started;
  }
  const Status outcome = loop();
  notifier_.stopping();
  if (lock_is_lost_) {
    host_->leave_lock();
  } else if (launch_->config.kill_switch) {
    host_->lock_down(facts_);
    log::warn("everything stays blocked; \"ginnel killswitch off\" unlocks this host");
  }
  host_->take_back_rest();
  return outcome;
}

// The lock before anything that it is to guard.
Status GatewayProcess::start() {
  started_ = clock_.now().unix;
  if (Status listens = listen_for_control(); !listens) return listens;
  book_ = EndpointBook::open(options_.state_directory);
  std::vector<std::vector<net::Endpoint>> endpoints;
  if (Status found = find_endpoints(endpoints); !found) return found;
  facts_.state = LockState::Connecting;
  facts_.manage = launch_->manage;
  facts_.dhcp_servers = host_->dhcp_servers();
  facts_.tunnels = TunnelSet::plan(launch_->config, std::move(endpoints), host_->rtnetlink());
  if (Status asked = ask_to_confirm(); !asked) return asked;
  if (Status locked = host_->lock(facts_); !locked) return locked;
  if (launch_->config.kill_switch && options_.on_locked) {
    if (Status told = options_.on_locked(); !told) log::warn("{}", told.error().message);
  }
  // Before there are threads, which each have capabilities of their own.
  if (Status dropped = os::keep_only(kNeededCapabilities); !dropped) return dropped;
  if (Status started = tunnels_.start(launch_->config, facts_.tunnels, options_.path); !started)
    return started;
  facts_.tunnels = tunnels_.facts();
  if (Status applied = host_->apply(facts_); !applied) return applied;
  serve_names();
  if (Status watching = watch(); !watching) return watching;
  const MonoTime now = clock_.mono();
  failover_.emplace(tunnels_.size(), now);
  look_.arm(now);
  refresh_.arm(now + kRefreshInterval);
  await_answer(now);
  if (notifier_.watchdog_interval() > Duration(0)) watchdog_.arm(now);
  look_at_host(now);
  publish();
  control_->start();
  log::info("ready tunnel={} lan={} kill_switch={}", active().interface,
            launch_->config.lan.front(), launch_->config.kill_switch ? "on" : "off");
  notifier_.ready();
  notifier_.status("connecting");
  return ok();
}

// Before anything on the host is changed: an address may be taken.
Status GatewayProcess::listen_for_control() {
  const std::size_t count = launch_->config.tunnels.size();
  looks_.resize(count);
  failures_.resize(count);
  takeovers_.resize(count);
  auto control = Control::create({.directory = host_->claims().directory(),
                                  .metrics = launch_->config.metrics,
                                  .kill_switch = launch_->config.kill_switch,
                                  .places = host_->places()});
  if (!control) return pass(std::move(control));
  control_ = std::move(*control);
  return ok();
}

Status GatewayProcess::find_endpoints(std::vector<std::vector<net::Endpoint>>& endpoints) {
  const bool is_locked = host_->was_locked();
  for (const GatewayTunnel& tunnel : launch_->config.tunnels) {
    auto found = book_->find(
        tunnel, is_locked ? EndpointBook::Order::PinsFirst : EndpointBook::Order::AskFirst,
        [&](const std::string& name) {
          return is_locked ? ask_through_lock(name) : ask_in_clear(name);
        });
    if (!found) return pass(std::move(found));
    endpoints.push_back(std::move(*found));
  }
  asked_.assign(endpoints.size(), MonoTime{});
  return ok();
}

Result<std::vector<net::Address>> GatewayProcess::ask_in_clear(const std::string& name) {
  const auto answer = quick::ask_aside(
      [&]() -> Result<std::string> {
        const auto found = os::look_up_host(name);
        if (!found) return std::unexpected(found.error());
        std::string text;
        for (const net::Address& address : *found) text += address.to_string() + " ";
        return text;
      },
      *interruption_);
  if (!answer) return std::unexpected(answer.error());
  std::vector<net::Address> found;
  for (std::string_view word : split(*answer, ' ')) {
    const auto address = net::Address::parse(word);
    if (address) found.push_back(*address);
  }
  if (found.empty()) return fail(ErrorCode::NotFound, fmt::format("{} has no address", name));
  log::info("asked for {} in clear, before the lock: {}", name, found.front().to_string());
  return found;
}

static_assert(MarkedLookup::kLongest < hostnet::LockPolicy::kResolversLast);

// Without an address there would never be a tunnel to ask through. The lock lets the tunnels' mark
// ask these servers until they have answered; everybody else stays locked in.
Result<std::vector<net::Address>> GatewayProcess::ask_through_lock(const std::string& name) {
  MarkedLookup lookup{
      .name = name, .servers = host_->name_servers(), .mark = launch_->config.mark.value};
  if (!launch_->config.kill_switch || lookup.servers.empty()) {
    return fail(
        ErrorCode::Unavailable,
        fmt::format("the host is locked, no address of {} that answers is known, and {}; "
                    "write its address, or unlock once (\"ginnel killswitch off\") and start again",
                    name,
                    launch_->config.kill_switch ? "no DNS server of the uplink is known"
                                                : "the lock is not this gateway's"));
  }
  GatewayFacts asking = facts_;
  asking.state = LockState::Connecting;
  asking.tunnels.resize(launch_->config.tunnels.size());
  asking.manage = launch_->manage;
  asking.resolvers = lookup.servers;
  std::vector<std::string> servers;
  for (const net::Endpoint& server : lookup.servers) servers.push_back(server.to_string());
  const auto alive = host_->begin_asking();
  if (!alive) return std::unexpected(alive.error());
  if (Status opened = host_->lock(asking); !opened) return pass(std::move(opened));
  log::warn("asking for {} in clear: the host is locked, and no address of it {}; servers={}", name,
            failover_ ? "answers" : "is known", fmt::join(servers, ","));
  auto found = look_up_marked(lookup, *interruption_);
  asking.resolvers.clear();
  if (Status closed = host_->lock(asking); !closed) return pass(std::move(closed));
  if (found) {
    log::warn("{} is {}; nobody is asked in clear any more", name, found->front().to_string());
  }
  return found;
}

// One who is locked out cannot say so; it goes back by itself then.
Status GatewayProcess::ask_to_confirm() {
  if (launch_->confirm_seconds == 0 || host_->was_locked()) return ok();
  const MonoTime now = clock_.mono();
  Status expected =
      host_->expect_confirmation(now + std::chrono::seconds(launch_->confirm_seconds));
  if (!expected) return expected;
  confirm_look_.arm(now + kConfirmLookInterval);
  log::warn("the lock goes back in {} s unless somebody runs \"ginnel killswitch confirm\"",
            launch_->confirm_seconds);
  return ok();
}

Status GatewayProcess::watch() {
  auto monitor = os::NetworkMonitor::open();
  if (!monitor) return pass(std::move(monitor));
  monitor_ = std::move(*monitor);
  auto lookups = tunnel::HostLookups::create(&os::look_up_host);
  if (!lookups) return pass(std::move(lookups));
  lookups_ = std::move(*lookups);
  std::vector<os::Poller::Watched> watched = {{interruption_->signals().fd(), kSignals},
                                              {monitor_->fd(), kNetwork},
                                              {lookups_->fd(), kLookups},
                                              {control_->fd(), kControl}};
  for (std::size_t i = 0; i < tunnels_.size(); ++i) {
    watched.push_back({tunnels_.ended_fd(i), kFirstTunnel + i});
  }
  auto poller = os::Poller::watching(watched);
  if (!poller) return pass(std::move(poller));
  poller_ = std::move(*poller);
  return ok();
}

MonoTime GatewayProcess::next_deadline() const {
  MonoTime next = failover_->next_timeout();
  for (const Deadline* deadline :
       {&look_, &host_look_, &settle_, &refresh_, &confirm_look_, &watchdog_, &ask_}) {
    next = std::min(next, deadline->at());
  }
  return next;
}

Status GatewayProcess::loop() {
  for (take_signals(); !stop_; take_signals()) {
    for (const os::Ready& ready : poller_->wait_until(next_deadline())) {
      if (Status handled = handle(ready); !handled) return handled;
    }
    if (Status handled = handle_deadlines(clock_.mono()); !handled) return handled;
  }
  return ok();
}

// Also those that came while somebody else waited: names are asked for in clear, and programs that
// tell the resolver run, in this thread.
void GatewayProcess::take_signals() {
  stop_ |= !interruption_->check();
  if (!stop_ && interruption_->take_reload()) begin_reload(last_request_);
}

Status GatewayProcess::handle(const os::Ready& ready) {
  switch (ready.token) {
    case kSignals:
      return ok();  // At the end of the turn.
    case kNetwork:
      handle_network(clock_.mono());
      return ok();
    case kLookups:
      handle_lookups();
      return ok();
    case kControl:
      if (const auto number = control_->take_request()) begin_reload(*number);
      return ok();
    default:
      return fail(ErrorCode::Io,
                  fmt::format("interface {} was deleted by somebody else; start the gateway again",
                              launch_->config.tunnels[ready.token - kFirstTunnel].interface));
  }
}

void GatewayProcess::handle_network(MonoTime now) {
  static_cast<void>(monitor_->read());  // Whatever it was, everything is looked at.
  if (!settle_.armed()) settle_limit_ = now + kMaxSettleTime;
  settle_.arm(std::min(now + kSettleTime, settle_limit_));
}

Status GatewayProcess::handle_deadlines(MonoTime now) {
  if (settle_.take_if_due(now)) {
    look_at_host(now);
    apply("the network changed");
    serve_lan();
  } else if (host_look_.take_if_due(now)) {
    look_at_host(now);
    apply("leases changed");
  }
  if (look_.take_if_due(now)) {
    look_at_tunnels(now);
    look_.arm(now + kLookInterval);
  }
  const std::size_t before = failover_->active();
  follow(failover_->handle_timeout(now), before, now);
  follow_state(now);
  if (ask_.take_if_due(now)) ask_for_moved();
  if (refresh_.take_if_due(now)) {
    for (std::size_t i = 0; i < tunnels_.size(); ++i) look_up(i, now);
    refresh_.arm(now + kRefreshInterval);
  }
  if (watchdog_.take_if_due(now)) {
    notifier_.watchdog();
    watchdog_.arm(now + notifier_.watchdog_interval());
  }
  return confirm_look_.take_if_due(now) ? look_at_confirmation(now) : ok();
}

// What changes on a host without the network's saying so.
void GatewayProcess::look_at_host(MonoTime now) {
  host_look_.arm(now + kHostInterval);
  facts_.dhcp_servers = host_->dhcp_servers();
  std::vector<Finding> findings = host_->find_obstacles(facts_);
  for (const Finding& finding : findings) {
    if (std::ranges::find(findings_, finding) != findings_.end()) continue;
    log::warn("{}{}", finding.message,
              finding.fix.empty() ? "" : fmt::format("; \"{}\" lets it through", finding.fix));
  }
  findings_ = std::move(findings);
}

void GatewayProcess::look_at_tunnels(MonoTime now) {
  for (std::size_t i = 0; i < tunnels_.size(); ++i) {
    const auto look = tunnels_.look(i);
    if (!look) continue;
    looks_[i] = *look;
    failover_->handle_traffic(now, i, look->traffic);
  }
  publish();
}

void GatewayProcess::follow(const Failover::Step& step, std::size_t before, MonoTime now) {
  if (step.failed) {
    ++failures_[before];
    log::warn("tunnel {} does not answer", launch_->config.tunnels[before].interface);
    if (Status tried = tunnels_.use_next_endpoint(before); !tried) {
      log::warn("{}", tried.error().message);
    }
    look_up(before, now);
  }
  for (const std::size_t i : step.greet) {
    if (Status greeted = tunnels_.greet(i); !greeted) log::warn("{}", greeted.error().message);
  }
  if (!step.switch_to) return;
  facts_.active = *step.switch_to;
  ++failovers_;
  ++takeovers_[facts_.active];
  apply("another tunnel");
  serve_names();
  log::warn("traffic goes through tunnel {}", active().interface);
  if (facts_.state == LockState::Connected) tell_connected();
}

// Open once a tunnel has answered; while all are silent, programs hear at once that there is no
// way.
void GatewayProcess::follow_state(MonoTime now) {
  const bool opens = facts_.state == LockState::Connecting && failover_->is_answering();
  const bool closes = facts_.state == LockState::Connected && failover_->all_failed();
  if (!opens && !closes) return;
  facts_.state = opens ? LockState::Connected : LockState::Connecting;
  apply(opens ? "connected" : "no tunnel answers");
  if (!opens) {
    await_answer(now);
    return notifier_.status("no tunnel answers");
  }
  ask_.disarm();
  log::info("connected tunnel={}", active().interface);
  tell_connected();
}

void GatewayProcess::await_answer(MonoTime now) {
  ask_pause_ = std::chrono::seconds(launch_->config.ask_after_seconds);
  if (launch_->config.kill_switch && ask_pause_ > Duration(0)) ask_.arm(now + ask_pause_);
}

// A server that moved while its was the only tunnel: there is none to ask through.
void GatewayProcess::ask_for_moved() {
  std::vector<std::string> asked;
  bool changed = false;
  for (const GatewayTunnel& tunnel : launch_->config.tunnels) {
    const std::string name = EndpointBook::name_of(tunnel);
    if (name.empty() || std::ranges::find(asked, name) != asked.end()) continue;
    asked.push_back(name);
    notifier_.watchdog();  // It takes its time.
    const auto found = ask_through_lock(name);
    stop_ |= !interruption_->check();
    if (stop_) return;
    if (found) {
      changed |= take_addresses(name, *found);
    } else {
      log::warn("{}", found.error().message);
    }
  }
  if (asked.empty()) return;
  if (changed) apply("new endpoints");
  ask_pause_ = std::min(2 * ask_pause_, kMaxAskPause);
  ask_.arm(clock_.mono() + ask_pause_);
}

void GatewayProcess::tell_connected() {
  notifier_.status("connected through " + active().interface);
}

void GatewayProcess::apply(std::string_view why) {
  facts_.tunnels = tunnels_.facts();
  Status applied = host_->apply(facts_);
  if (!applied) log::error("{}: {}", why, applied.error().message);
}

// For the host itself and for the LAN.
void GatewayProcess::serve_names() {
  if (Status told = host_->tell_resolver(active()); !told) log::warn("{}", told.error().message);
  serve_lan();
}

void GatewayProcess::serve_lan() {
  if (!launch_->config.resolver) return;
  const auto state = host_->read();
  if (!state) return log::warn("{}", state.error().message);
  names_.follow(launch_->config, *state, active());
}

void GatewayProcess::look_up(std::size_t index, MonoTime now) {
  const std::string name = EndpointBook::name_of(launch_->config.tunnels[index]);
  if (name.empty() || asking_ >= tunnel::HostLookups::kMaxPending) return;
  if (asked_[index] != MonoTime{} && now - asked_[index] < kMinLookupInterval) return;
  asked_[index] = now;
  ++asking_;
  lookups_->ask(name);
}

// Asked for through the tunnel: the lock lets no other way.
void GatewayProcess::handle_lookups() {
  bool changed = false;
  for (tunnel::HostLookups::Answer& answer : lookups_->take_answers()) {
    --asking_;
    if (reload_) take_answer(answer, *reload_);
    if (!answer.addresses) {
      log::info("{}", answer.addresses.error().message);
      continue;
    }
    changed |= take_addresses(answer.name, *answer.addresses);
  }
  if (changed) apply("new endpoints");
  carry_out_reload();
}

// Whether any tunnel's endpoints are others now; then the lock has yet to let go of the old ones.
bool GatewayProcess::take_addresses(const std::string& name,
                                    const std::vector<net::Address>& addresses) {
  bool changed = false;
  for (std::size_t i = 0; i < tunnels_.size(); ++i) {
    const GatewayTunnel& tunnel = launch_->config.tunnels[i];
    if (EndpointBook::name_of(tunnel) != name) continue;
    auto endpoints = book_->note(tunnel, addresses);
    if (!endpoints) continue;
    const bool answers = i == facts_.active && failover_->is_answering();
    // The lock learns of new ones before they are used, and lets go of old ones after.
    GatewayFacts wider = facts_;
    wider.tunnels[i].endpoints.insert(wider.tunnels[i].endpoints.end(), endpoints->begin(),
                                      endpoints->end());
    Status done = host_->apply(wider);
    if (done) done = tunnels_.set_endpoints(i, std::move(*endpoints), answers);
    if (!done) log::warn("{}: {}", tunnel.interface, done.error().message);
    changed = true;
  }
  return changed;
}

// What is wrong with the files is found before anything is changed.
void GatewayProcess::begin_reload(std::uint64_t number) {
  last_request_ = std::max(last_request_, number);
  notifier_.reloading();
  reload_.emplace(Reload{.number = number});
  if (Status planned = plan_reload(*reload_); !planned) {
    return end_reload(number, pass(std::move(planned)));
  }
  carry_out_reload();
}

Status GatewayProcess::plan_reload(Reload& reload) {
  const auto state = host_->read();
  if (!state) return std::unexpected(state.error());
  auto next = read_again(options_, launch_->config, *state);
  if (!next) return pass(std::move(next));
  reload.config = std::move(*next);
  for (std::size_t i = 0; i < reload.config.tunnels.size(); ++i) {
    const GatewayTunnel& tunnel = reload.config.tunnels[i];
    const bool is_same = tunnel.peer().endpoint == launch_->config.tunnels[i].peer().endpoint;
    auto known = is_same ? facts_.tunnels[i].endpoints : book_->known(tunnel);
    if (!known) return pass(std::move(known));
    reload.awaited.push_back(known->empty() ? EndpointBook::name_of(tunnel) : "");
    reload.endpoints.push_back(std::move(*known));
    if (reload.awaited.back().empty()) continue;
    if (asking_ >= tunnel::HostLookups::kMaxPending) {
      return fail(ErrorCode::Unavailable,
                  fmt::format("{}:{}: Endpoint: too many names are being looked up; try again",
                              tunnel.path, tunnel.peer().endpoint_line));
    }
    ++asking_;
    lookups_->ask(reload.awaited.back());
  }
  return ok();
}

void GatewayProcess::take_answer(const tunnel::HostLookups::Answer& answer, Reload& reload) {
  for (std::size_t i = 0; i < reload.awaited.size(); ++i) {
    if (reload.awaited[i] != answer.name) continue;
    const GatewayTunnel& tunnel = reload.config.tunnels[i];
    auto endpoints = answer.addresses ? book_->note(tunnel, *answer.addresses)
                                      : std::unexpected(answer.addresses.error());
    if (!endpoints) {
      const Error error{endpoints.error().code,
                        fmt::format("{}:{}: Endpoint: {}", tunnel.path, tunnel.peer().endpoint_line,
                                    endpoints.error().message)};
      return end_reload(reload.number, std::unexpected(error));
    }
    reload.endpoints[i] = std::move(*endpoints);
    reload.awaited[i].clear();
  }
}

void GatewayProcess::carry_out_reload() {
  if (!reload_ || !std::ranges::all_of(reload_->awaited, &std::string::empty)) return;
  Reload reload = std::move(*reload_);
  ChangeView view;
  std::vector<std::size_t> greeted;
  for (std::size_t i = 0; i < reload.config.tunnels.size(); ++i) {
    const GatewayTunnel& next = reload.config.tunnels[i];
    auto keys = changed_keys(launch_->config.tunnels[i], next);
    if (changes_session(keys)) greeted.push_back(i);
    if (!keys.empty()) view.tunnels[next.interface] = std::move(keys);
  }
  const std::vector<std::string> known = launch_->config.warnings;
  if (Status changed = change_to(reload); !changed) {
    return end_reload(reload.number, pass(std::move(changed)));
  }
  for (const std::size_t i : greeted) {
    if (Status begun = tunnels_.greet(i); !begun) log::warn("{}", begun.error().message);
  }
  for (const std::string& warning : launch_->config.warnings) {
    if (std::ranges::find(known, warning) != known.end()) continue;
    log::warn("{}", warning);
    view.warnings.push_back(warning);
  }
  serve_names();
  end_reload(reload.number, std::move(view));
}

// The lock learns of new endpoints before they are used, and lets go of old ones after.
Status GatewayProcess::change_to(Reload& reload) {
  const GatewayFacts before = facts_;
  auto planned = TunnelSet::plan(reload.config, std::move(reload.endpoints), host_->rtnetlink());
  GatewayFacts wider = facts_;
  for (std::size_t i = 0; i < planned.size(); ++i) {
    auto& endpoints = wider.tunnels[i].endpoints;
    endpoints.insert(endpoints.end(), planned[i].endpoints.begin(), planned[i].endpoints.end());
  }
  Status done = host_->apply(wider);
  if (done) done = tunnels_.change(reload.config, std::move(planned));
  if (!done) {
    apply("the reload is taken back");
    return done;
  }
  std::swap(launch_->config, reload.config);
  facts_.tunnels = tunnels_.facts();
  done = host_->apply(facts_);
  if (!done) {
    if (Status undone = tunnels_.change(reload.config, before.tunnels); !undone) {
      log::error("the reload could not be taken back: {}", undone.error().message);
    }
    std::swap(launch_->config, reload.config);
    apply("the reload is taken back");
  }
  return done;
}

void GatewayProcess::end_reload(std::uint64_t number, Result<ChangeView> outcome) {
  reload_.reset();
  if (outcome) {
    ++reloads_;
    std::vector<std::string> changes;
    for (const auto& [tunnel, keys] : outcome->tunnels) {
      changes.push_back(fmt::format("{}:{}", tunnel, fmt::join(keys, ",")));
    }
    log::info("reloaded changed={}",
              changes.empty() ? "nothing" : fmt::format("{}", fmt::join(changes, " ")));
  } else {
    log::error("reload: nothing was changed: {}", outcome.error().message);
  }
  publish();
  control_->finish(number, std::move(outcome));
  notifier_.ready();
}

void GatewayProcess::publish() {
  const GatewayConfig& config = launch_->config;
  GatewayView view{.state = facts_.state == LockState::Connected ? GatewayState::Connected
                                                                 : GatewayState::Connecting,
                   .findings = findings_,
                   .process = os::process_id(),
                   .kill_switch = config.kill_switch,
                   .lan = config.lan,
                   .manage = facts_.manage,
                   .dhcp_servers = facts_.dhcp_servers,
                   .fwmark = config.mark.value,
                   .table = config.table,
                   .started = started_,
                   .failovers = failovers_,
                   .reloads = reloads_,
                   .dns = names_.counters()};
  const UnixTime now = clock_.now().unix;
  for (std::size_t i = 0; i < config.tunnels.size(); ++i) {
    const TunnelSet::Look& look = looks_[i];
    TunnelView tunnel = view_of(config.tunnels[i], facts_.tunnels[i], look, now);
    if (failover_ && failover_->has_failed(i)) tunnel.state = TunnelState::Failed;
    tunnel.active = i == facts_.active;
    tunnel.failures = failures_[i];
    tunnel.takeovers = takeovers_[i];
    view.tunnels.push_back(std::move(tunnel));
  }
  control_->publish(std::move(view));
}

Status GatewayProcess::look_at_confirmation(MonoTime now) {
  using Confirmation = GatewayHost::Confirmation;
  const auto found = host_->look_for_confirmation(now);
  if (!found) log::error("{}", found.error().message);
  if (!found || *found == Confirmation::Awaited) {
    confirm_look_.arm(clock_.mono() + kConfirmLookInterval);
    return ok();
  }
  if (*found == Confirmation::Given) {
    log::info("confirmed");
    return ok();
  }
  lock_is_lost_ = true;
  return fail(ErrorCode::TimedOut,
              "nobody confirmed the lock, so it was taken back; start again, and run \"ginnel "
              "killswitch confirm\" in time, or say --confirm 0");
}

}  // namespace

Status run_gateway(const GatewayOptions& options) { return GatewayProcess(options).run(); }

}  // namespace ginnel::gateway
