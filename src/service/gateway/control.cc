#include "service/gateway/control.h"

#include <fmt/format.h>

#include "base/log.h"
#include "base/text.h"
#include "http/metric_families.h"
#include "os/socket_sharing.h"
#include "service/gateway/metrics.h"

namespace ginnel::gateway {
namespace {

using http::Method;
using http::PathParameters;
using http::Request;
using http::Response;

// Its members may use the socket, which root needs nobody's leave for.
constexpr std::string_view kGroup = "ginnel";
constexpr unsigned kAccepted = 202;

}  // namespace

std::string control_socket(const std::string& directory) { return directory + "/gateway.sock"; }

Control::Control(Key, Options options, os::EventFd asked)
    : options_(std::move(options)),
      asked_(std::move(asked)),
      http_([this](const Request& request) { return handle(request); }) {
  add_routes();
}

Result<std::unique_ptr<Control>> Control::create(Options options) {
  auto asked = os::EventFd::create();
  if (!asked) return pass(std::move(asked));
  auto control = std::make_unique<Control>(Key{}, std::move(options), std::move(*asked));
  const std::string socket = control_socket(control->options_.directory);
  if (Status listens = control->http_.listen(http::UnixListener{socket}); !listens) {
    return pass(std::move(listens));
  }
  if (Status shared = os::share_with_group(socket, std::string(kGroup)); !shared) {
    return pass(std::move(shared));
  }
  if (!control->options_.metrics) return control;
  const auto bound = control->http_.listen(*control->options_.metrics);
  if (bound) return control;
  return fail(bound.error().code,
              fmt::format("metrics: {}; choose another address with --metrics-listen",
                          bound.error().message));
}

Control::~Control() {
  if (!thread_.joinable()) return;
  http_.stop();
  thread_.join();
}

void Control::start() {
  thread_ = std::jthread([this] { http_.run(); });
}

void Control::publish(GatewayView view) {
  const MutexLock lock(mutex_);
  view_ = std::move(view);
}

std::optional<std::uint64_t> Control::take_request() {
  asked_.take();
  const MutexLock lock(mutex_);
  if (taken_ == requested_) return std::nullopt;
  taken_ = requested_;
  return taken_;
}

void Control::finish(std::uint64_t number, Result<ChangeView> outcome) {
  const MutexLock lock(mutex_);
  finished_ = number;
  outcome_ = std::move(outcome);
}

GatewayView Control::view() {
  GatewayView view;
  {
    const MutexLock lock(mutex_);
    view = view_;
  }
  view.uptime = clock_.now().unix - view.started;
  if (options_.kill_switch) view.lock = look_at_lock();
  return view;
}

std::optional<LockView> Control::look_at_lock() {
  const MonoTime now = clock_.mono();
  if (now < lock_expires_) return lock_;
  lock_expires_ = now + kLockInterval;
  lock_.reset();
  auto lock = killswitch::KillSwitch::open(options_.places);
  auto report = lock ? lock->inspect() : std::unexpected(lock.error());
  if (!report) {
    log::warn("kill switch: {}", report.error().message);
    return lock_;
  }
  report->expect_watcher();
  lock_ = LockView{.state = std::string(name_of(report->policy.state)),
                   .armed = report->is_armed(),
                   .missing = std::move(report->missing),
                   .owned = report->owned,
                   .guarded = report->guarded,
                   .hash = std::move(report->hash),
                   .stopped_local = report->stopped_local,
                   .stopped_forwarded = report->stopped_forwarded,
                   .stopped_devices = report->stopped_devices,
                   .refused_input = report->refused_input};
  return lock_;
}

Response Control::handle(const Request& request) {
  return request.credentials ? control_.handle(request) : metrics_.handle(request);
}

void Control::add_routes() {
  const auto metrics = [this](const Request&, const PathParameters&) {
    Response response = http::text_response(to_metrics_text(view()));
    response.content_type = http::kMetricsContentType;
    return response;
  };
  metrics_.add(Method::Get, "/metrics", metrics);
  control_.add(Method::Get, "/metrics", metrics);
  control_.add(Method::Get, "/v1/gateway", [this](const Request&, const PathParameters&) {
    return http::json_response(http::to_json_text(view()));
  });
  control_.add(Method::Post, "/v1/gateway/reloads", [this](const Request&, const PathParameters&) {
    ReloadTicket ticket;
    {
      const MutexLock lock(mutex_);
      ticket.number = ++requested_;
    }
    asked_.raise();
    return http::json_response(http::to_json_text(ticket), kAccepted);
  });
  control_.add(
      Method::Get, "/v1/gateway/reloads/{number}",
      [this](const Request&, const PathParameters& path) {
        const auto number = parse_number<std::uint64_t>(path["number"], 1, UINT64_MAX);
        const MutexLock lock(mutex_);
        if (!number || *number > requested_) {
          return http::error_response({ErrorCode::NotFound, "nobody asked for that reload"});
        }
        if (*number > finished_) {
          return http::json_response(http::to_json_text(ReloadTicket{.number = *number}),
                                     kAccepted);
        }
        if (!outcome_) return http::error_response(outcome_.error());
        return http::json_response(http::to_json_text(*outcome_));
      });
}

}  // namespace ginnel::gateway
