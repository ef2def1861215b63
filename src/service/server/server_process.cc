#include "service/server/server_process.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <thread>

#include "base/bounded_queue.h"
#include "base/log.h"
#include "core/config/secret_text.h"
#include "http/server.h"
#include "os/name_lookup.h"
#include "os/network_monitor.h"
#include "os/nft_monitor.h"
#include "os/process.h"
#include "os/service_notifier.h"
#include "os/signal_fd.h"
#include "os/socket_sharing.h"
#include "service/server/control_api.h"
#include "service/server/kernel_network.h"
#include "service/server/launch.h"
#include "service/server/privileges.h"
#include "service/tunnel/host_lookups.h"
#include "service/tunnel/tunnel.h"
#include "service/tunnel/uapi_server.h"

namespace ginnel::server {
namespace {

// Networks change in bursts; this long after the last event of one it is looked at once.
constexpr Duration kSettleTime = 200ms;
constexpr Duration kMaxSettleTime = 2s;
// What changes without a word: settings, and rules of iptables-legacy.
constexpr Duration kLookInterval = 30s;
constexpr Duration kSaveInterval = 30s;
// After somebody came or moved, so that a server that is killed finds its clients again.
constexpr Duration kSaveSoon = 2s;
constexpr std::size_t kMaxPendingEvents = 256;
// Its members may use the control socket, which root needs nobody's leave for.
constexpr std::string_view kGroup = "ginnel";
constexpr std::string_view kReadOnlyHint = "ginnel peer";

std::string_view name_of(wg::EngineEvent::Kind kind) {
  switch (kind) {
    case wg::EngineEvent::Kind::SessionMade:
      return "session made";
    case wg::EngineEvent::Kind::GaveUp:
      return "does not answer";
    case wg::EngineEvent::Kind::Roamed:
      return "roamed";
    case wg::EngineEvent::Kind::KeysErased:
      return "session ended";
  }
  return "";
}

class ServerProcess {
 public:
  ServerProcess(const ServerOptions& options, Audience& audience)
      : options_(options), audience_(audience) {}
  ~ServerProcess() { end(); }

  Status run();

 private:
  enum Token : std::uint64_t {
    kSignals,
    kNetwork,
    kFirewalls,
    kTunnelEnded,
    kUapiEnded,
    kEvents,
    kLookups
  };

  Status listen_for_metrics(const config::ServerConfig& config);
  Status start(CheckedLaunch& launch);
  Status listen_for_control(const std::string& interface);
  Status start_tunnel(const CheckedLaunch& launch);
  Status start_server(CheckedLaunch& launch);
  void start_uapi();
  Status watch();
  Status announce();
  Status loop();
  Status handle(const os::Ready& ready);
  void handle_signals();
  void look_soon(MonoTime now);
  void handle_events();
  void handle_lookups();
  void handle_deadlines(MonoTime now);
  void reload();
  void end();

  const ServerOptions& options_;
  Audience& audience_;
  os::Clock clock_;
  os::SystemRng rng_;
  os::ServiceNotifier notifier_ = os::ServiceNotifier::from_environment();
  std::optional<os::SignalFd> signals_;
  std::optional<os::Poller> poller_;
  std::optional<os::NetworkMonitor> monitor_;
  std::optional<os::NftMonitor> firewalls_;
  std::optional<os::EventFd> event_flag_;
  std::optional<tunnel::HostLookups> lookups_;
  BoundedQueue<wg::EngineEvent> events_{kMaxPendingEvents};

  // In the order in which they are made; end() takes them down in the reverse.
  std::optional<PreparedState> state_;
  std::unique_ptr<KernelNetwork> network_;
  std::unique_ptr<tunnel::Tunnel> tunnel_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<ControlApi> api_;
  http::Server http_{[this](const http::Request& request) { return api_->handle(request); }};
  std::string public_link_;  // To the control socket, when that is somewhere else.
  std::unique_ptr<tunnel::UapiServer> uapi_;
  std::jthread http_thread_;
  std::jthread uapi_thread_;

  bool stop_ = false;
  MonoTime settle_limit_ = kNever;
  Deadline settle_;
  Deadline look_;
  Deadline record_;
  Deadline save_;
  Deadline refresh_;
  Deadline watchdog_;
};

Status ServerProcess::run() {
  auto signals = os::SignalFd::create();
  if (!signals) return pass(std::move(signals));
  signals_ = std::move(*signals);
  auto launch = check_launch(options_, rng_);
  if (!launch) return pass(std::move(launch));
  if (Status listens = listen_for_metrics(launch->config); !listens) return listens;
  if (Status started = start(*launch); !started) return started;
  Status outcome = loop();
  notifier_.stopping();
  audience_.on_end();
  return outcome;
}

Status ServerProcess::listen_for_metrics(const config::ServerConfig& config) {
  if (!config.metrics_listen) return ok();
  auto bound = http_.listen(*config.metrics_listen);
  if (bound) return ok();
  return fail(bound.error().code,
              fmt::format("metrics: {}; choose another address with --metrics-listen, or \"none\"",
                          bound.error().message));
}

Status ServerProcess::start(CheckedLaunch& launch) {
  auto state = prepare_state(launch, rng_, clock_.now().unix);
  if (!state) return pass(std::move(state));
  state_ = std::move(*state);
  if (Status listens = listen_for_control(launch.interface); !listens) return listens;
  auto network = KernelNetwork::open(options_.paths.public_run_directory, launch.interface);
  if (!network) return pass(std::move(network));
  network_ = std::move(*network);
  os::allow_thread_nice(tunnel::TunnelWorker::kLightNice);  // Without it the tunnel works, slower.
  // Before there are threads, which each have capabilities of their own.
  const auto kept = needed_capabilities(options_.paths, launch.key.file);
  if (Status dropped = os::keep_only(kept); !dropped) return dropped;
  if (Status made = start_tunnel(launch); !made) return made;
  if (Status made = start_server(launch); !made) return made;
  start_uapi();
  http_thread_ = std::jthread([this] { http_.run(); });
  if (Status watching = watch(); !watching) return watching;
  return announce();
}

// A socket of a --state-dir is linked to from where commands look for servers.
Status ServerProcess::listen_for_control(const std::string& interface) {
  const ServerPaths& paths = options_.paths;
  for (const std::string& directory : {paths.run_directory, paths.public_run_directory}) {
    if (Status made = os::make_directories(directory, 0755); !made) return made;
  }
  const std::string socket = paths.control_socket(interface);
  if (Status listens = http_.listen(http::UnixListener{socket}); !listens) return listens;
  if (Status shared = os::share_with_group(socket, std::string(kGroup)); !shared) return shared;
  const std::string link = paths.public_socket(interface);
  if (link == socket) return ok();
  if (Status linked = os::replace_link(link, socket); !linked) return linked;
  public_link_ = link;
  return ok();
}

Status ServerProcess::start_tunnel(const CheckedLaunch& launch) {
  auto flag = os::EventFd::create();
  if (!flag) return pass(std::move(flag));
  event_flag_ = std::move(*flag);
  auto tunnel = tunnel::Tunnel::start({.interface = launch.interface,
                                       .mtu = launch.config.mtu,
                                       .listen_address = launch.config.listen.address,
                                       .path = options_.path,
                                       .on_event = [this](const wg::EngineEvent& event) {
                                         if (events_.push(wg::EngineEvent(event))) {
                                           event_flag_->raise();
                                         }
                                       }});
  if (!tunnel) return pass(std::move(tunnel));
  tunnel_ = std::move(*tunnel);
  return ok();
}

Status ServerProcess::start_server(CheckedLaunch& launch) {
  auto server = Server::start({.source = std::move(launch.source),
                               .config = std::move(launch.config),
                               .key = std::move(launch.key),
                               .device = *tunnel_,
                               .host = *network_,
                               .database = *state_->database,
                               .clock = clock_,
                               .rng = rng_,
                               .process = os::process_id()});
  if (!server) return pass(std::move(server));
  server_ = std::move(*server);
  api_ = std::make_unique<ControlApi>(
      *server_, ControlApiOptions{.metrics_per_peer = options_.metrics_per_peer});
  return ok();
}

// Without the directory for it (only root can make that), stock `wg` shows nothing and all else
// works.
void ServerProcess::start_uapi() {
  auto uapi = tunnel::UapiServer::create(*tunnel_, {.read_only_hint = std::string(kReadOnlyHint)});
  if (!uapi) {
    log::warn("\"wg show\" will not see this server: {}", uapi.error().message);
    return;
  }
  uapi_ = std::move(*uapi);
  uapi_thread_ = std::jthread([this](const std::stop_token& stop) { uapi_->run(stop); });
}

Status ServerProcess::watch() {
  auto monitor = os::NetworkMonitor::open();
  if (!monitor) return pass(std::move(monitor));
  monitor_ = std::move(*monitor);
  auto firewalls = os::NftMonitor::open();
  if (!firewalls) return pass(std::move(firewalls));
  firewalls_ = std::move(*firewalls);
  auto lookups = tunnel::HostLookups::create(&os::look_up_host);
  if (!lookups) return pass(std::move(lookups));
  lookups_ = std::move(*lookups);
  const os::Poller::Watched watched[] = {{signals_->fd(), kSignals},
                                         {monitor_->fd(), kNetwork},
                                         {firewalls_->fd(), kFirewalls},
                                         {tunnel_->ended_fd(), kTunnelEnded},
                                         {event_flag_->fd(), kEvents},
                                         {lookups_->fd(), kLookups},
                                         {uapi_ ? uapi_->ended_fd() : -1, kUapiEnded}};
  auto poller = os::Poller::watching(watched);
  if (!poller) return pass(std::move(poller));
  poller_ = std::move(*poller);
  return ok();
}

Status ServerProcess::announce() {
  const MonoTime now = clock_.mono();
  look_.arm(now + kLookInterval);
  record_.arm(now + server_->traffic_interval());
  save_.arm(now + kSaveInterval);
  if (audience_.wants_status()) refresh_.arm(now);
  if (notifier_.watchdog_interval() > Duration(0)) watchdog_.arm(now);
  std::string first_client;
  if (!state_->first_client.empty()) {
    auto file = server_->client_file(state_->first_client);
    if (file) first_client = std::move(*file);
    if (!file) log::warn("{}: {}", state_->first_client, file.error().message);
  }
  audience_.on_ready(server_->view(), first_client);
  config::erase_text(first_client);
  notifier_.ready();
  return ok();
}

Status ServerProcess::loop() {
  while (!stop_) {
    for (const std::string& name : server_->take_due_lookups()) lookups_->ask(name);
    MonoTime next = server_->next_lookup();
    for (const Deadline* deadline : {&settle_, &look_, &record_, &save_, &refresh_, &watchdog_}) {
      next = std::min(next, deadline->at());
    }
    for (const os::Ready& ready : poller_->wait_until(next)) {
      if (Status handled = handle(ready); !handled) return handled;
    }
    handle_deadlines(clock_.mono());
  }
  return ok();
}

Status ServerProcess::handle(const os::Ready& ready) {
  switch (static_cast<Token>(ready.token)) {
    case kSignals:
      handle_signals();
      break;
    case kNetwork:
      static_cast<void>(monitor_->read());  // Whatever it was, everything is looked at.
      look_soon(clock_.mono());
      break;
    case kFirewalls:
      static_cast<void>(firewalls_->take_change());
      look_soon(clock_.mono());
      break;
    case kEvents:
      handle_events();
      break;
    case kLookups:
      handle_lookups();
      break;
    case kTunnelEnded:
      return fail(ErrorCode::Io,
                  fmt::format("interface {} was deleted by somebody else; start the server again",
                              tunnel_->interface_name()));
    case kUapiEnded:
      return fail(ErrorCode::Io,
                  fmt::format("{} was removed by somebody else, which ends the server; start it "
                              "again",
                              uapi_->path()));
  }
  return ok();
}

void ServerProcess::handle_signals() {
  while (const auto signal = signals_->take()) {
    if (*signal == os::Signal::Stop || audience_.has_left()) {
      stop_ = true;
    } else if (*signal == os::Signal::Reload) {
      reload();
    }
  }
}

void ServerProcess::reload() {
  notifier_.reloading();
  const auto change = server_->reload();
  if (change) {
    log::info("reloaded added={} changed={} removed={} settings={}", change->added, change->changed,
              change->removed, fmt::join(change->settings, ","));
    notifier_.status("running");
  } else {
    log::error("reload: nothing was changed: {}", change.error().message);
    notifier_.status("reload failed: " + change.error().message);
  }
  notifier_.ready();
}

void ServerProcess::look_soon(MonoTime now) {
  if (!settle_.armed()) settle_limit_ = now + kMaxSettleTime;
  settle_.arm(std::min(now + kSettleTime, settle_limit_));
}

void ServerProcess::handle_events() {
  event_flag_->take();
  while (const auto event = events_.pop()) {
    log::debug("peer={} {}", server_->name_of(event->peer), name_of(event->kind));
    const bool is_news = event->kind == wg::EngineEvent::Kind::SessionMade ||
                         event->kind == wg::EngineEvent::Kind::Roamed;
    if (is_news) save_.arm(std::min(save_.at(), clock_.mono() + kSaveSoon));
  }
}

void ServerProcess::handle_lookups() {
  for (tunnel::HostLookups::Answer& answer : lookups_->take_answers()) {
    server_->handle_lookup(answer.name, std::move(answer.addresses));
  }
}

void ServerProcess::handle_deadlines(MonoTime now) {
  const bool settled = settle_.take_if_due(now);
  if (settled || look_.take_if_due(now)) {
    server_->follow_host();
    look_.arm(now + kLookInterval);
  }
  if (record_.take_if_due(now)) {
    server_->record_traffic();
    record_.arm(now + server_->traffic_interval());
  }
  if (save_.take_if_due(now)) {
    server_->record_traffic();
    server_->save_traffic();
    save_.arm(now + kSaveInterval);
  }
  if (refresh_.take_if_due(now)) {
    audience_.on_status(server_->view());
    refresh_.arm(now + Audience::kRefreshInterval);
  }
  if (watchdog_.take_if_due(now)) {
    notifier_.watchdog();
    watchdog_.arm(now + notifier_.watchdog_interval());
  }
}

void ServerProcess::end() {
  if (http_thread_.joinable()) {
    http_.stop();
    http_thread_.join();
  }
  if (uapi_thread_.joinable()) {
    uapi_thread_.request_stop();
    uapi_->wake();
    uapi_thread_.join();
  }
  uapi_.reset();
  if (!public_link_.empty()) {
    if (Status removed = os::remove_file(public_link_); !removed) {
      log::warn("{}", removed.error().message);
    }
  }
  api_.reset();
  server_.reset();
  network_.reset();
  tunnel_.reset();
}

}  // namespace

Status run_server(const ServerOptions& options, Audience& audience) {
  return ServerProcess(options, audience).run();
}

}  // namespace ginnel::server
