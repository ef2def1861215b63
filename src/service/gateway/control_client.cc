#include "service/gateway/control_client.h"

#include <fmt/format.h>

#include <thread>

#include "http/client.h"
#include "os/clock.h"
#include "os/sysctl_claims.h"
#include "service/gateway/control.h"

namespace ginnel::gateway {
namespace {

constexpr auto kPollInterval = std::chrono::milliseconds(20);
constexpr unsigned kAccepted = 202;

template <class T>
Result<T> value_of(const std::string& socket, const http::Response& response) {
  auto value =
      http::from_json_text<T>(response.body, {.max_bytes = http::ClientOptions::kMaxBodyBytes});
  if (value) return value;
  return fail(ErrorCode::Unavailable,
              fmt::format("{}: the gateway answers in a way of another version ({}); restart it",
                          socket, value.error().message));
}

}  // namespace

ControlClient::ControlClient(const std::string& run_directory)
    : socket_(control_socket(os::SysctlClaims::directory_in(run_directory))) {}

Result<http::Response> ControlClient::ask(http::Method method,
                                          std::vector<std::string> path) const {
  http::Request request;
  request.method = method;
  request.target.segments = std::move(path);
  auto response = http::request(
      std::filesystem::path(socket_), request,
      {.timeout = kReloadPatience, .remedy = "start a gateway with \"ginnel gateway\""});
  if (!response) return response;
  return http::require_success(std::move(*response));
}

Result<GatewayView> ControlClient::status() const {
  const auto response = ask(http::Method::Get, {"v1", "gateway"});
  if (!response) return std::unexpected(response.error());
  return value_of<GatewayView>(socket_, *response);
}

Result<ChangeView> ControlClient::reload() const {
  const auto accepted = ask(http::Method::Post, {"v1", "gateway", "reloads"});
  if (!accepted) return std::unexpected(accepted.error());
  const auto ticket = value_of<ReloadTicket>(socket_, *accepted);
  if (!ticket) return std::unexpected(ticket.error());
  const os::Clock clock;
  const MonoTime limit = clock.mono() + kReloadPatience;
  for (;; std::this_thread::sleep_for(kPollInterval)) {
    const auto response =
        ask(http::Method::Get, {"v1", "gateway", "reloads", fmt::format("{}", ticket->number)});
    if (!response) return std::unexpected(response.error());
    if (response->status != kAccepted) return value_of<ChangeView>(socket_, *response);
    if (clock.mono() >= limit) {
      return fail(ErrorCode::TimedOut,
                  "the gateway has not read its files yet; its log will say what became of it");
    }
  }
}

}  // namespace ginnel::gateway
