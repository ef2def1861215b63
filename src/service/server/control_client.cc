#include "service/server/control_client.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/config/secret_text.h"
#include "os/file.h"

namespace ginnel::server {
namespace {

constexpr std::string_view kPrefix = "server-";
constexpr std::string_view kSuffix = ".sock";
// Adding a peer to a hundred thousand reads as many files.
constexpr Duration kTimeout = 60s;

// The interfaces that have a socket in the directory, alive or not.
Result<std::vector<std::string>> list_interfaces(const std::string& directory) {
  auto names = os::list_directory(directory);
  if (!names && names.error().code == ErrorCode::NotFound) return std::vector<std::string>();
  if (!names) return names;
  std::vector<std::string> interfaces;
  for (std::string_view name : *names) {
    if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) continue;
    name.remove_prefix(kPrefix.size());
    name.remove_suffix(kSuffix.size());
    interfaces.emplace_back(name);
  }
  return interfaces;
}

Result<std::unique_ptr<ControlClient>> find_in(const std::string& directory,
                                               const std::optional<std::string>& interface) {
  auto interfaces = list_interfaces(directory);
  if (!interfaces) return pass(std::move(interfaces));
  std::unique_ptr<ControlClient> found;
  std::vector<std::string> alive;
  for (const std::string& name : *interfaces) {
    if (interface && *interface != name) continue;
    auto client = std::make_unique<ControlClient>(
        fmt::format("{}/{}{}{}", directory, kPrefix, name, kSuffix));
    const auto view = client->server();
    // What a killed server left behind answers nobody.
    if (!view && view.error().code == ErrorCode::Unavailable) continue;
    if (!view) return std::unexpected(view.error());
    alive.push_back(name);
    found = std::move(client);
  }
  if (alive.size() <= 1) return found;
  return fail(ErrorCode::InvalidArgument,
              fmt::format("several servers run here ({}); name one with --interface",
                          fmt::join(alive, ", ")));
}

}  // namespace

Result<std::unique_ptr<ControlClient>> ControlClient::find(
    const ServerPaths& paths, const std::optional<std::string>& interface) {
  // With --state-dir only that server counts; else every server that can be found.
  const bool is_own = paths.run_directory != paths.public_run_directory;
  auto found = find_in(is_own ? paths.run_directory : paths.public_run_directory, interface);
  if (!found || *found || paths.system_run_directory.empty()) return found;
  // Who has files of his own means the server that they are for, though it does not run.
  if (os::file_exists(paths.config_file) || os::file_exists(paths.peers_directory)) return found;
  return find_in(paths.system_run_directory, interface);
}

Result<std::string> ControlClient::ask(http::Method method, std::vector<std::string> path,
                                       std::string body) {
  http::Request request;
  request.method = method;
  request.target.segments = std::move(path);
  request.body = std::move(body);
  if (!request.body.empty()) request.headers.push_back({"Content-Type", "application/json"});
  http::ClientOptions options;
  options.timeout = kTimeout;
  auto response = http::request(std::filesystem::path(socket_), request, options);
  config::erase_text(request.body);
  if (!response) return pass(std::move(response));
  auto success = http::require_success(std::move(*response));
  if (!success) return pass(std::move(success));
  return std::move(success->body);
}

template <class T>
Result<T> ControlClient::ask_for(http::Method method, std::vector<std::string> path,
                                 std::string body) {
  const auto text = ask(method, std::move(path), std::move(body));
  if (!text) return std::unexpected(text.error());
  auto value = http::from_json_text<T>(*text, {.max_bytes = http::ClientOptions::kMaxBodyBytes});
  if (value) return value;
  return fail(ErrorCode::Unavailable,
              fmt::format("{}: the server answers in a way of another version ({}); restart it",
                          socket_, value.error().message));
}

Result<ServerView> ControlClient::server() {
  return ask_for<ServerView>(http::Method::Get, {"v1", "server"});
}

Result<ChangeView> ControlClient::reload() {
  return ask_for<ChangeView>(http::Method::Post, {"v1", "server", "reload"});
}

Result<std::vector<PeerView>> ControlClient::peers() {
  auto list = ask_for<PeerListDocument>(http::Method::Get, {"v1", "peers"});
  if (!list) return pass(std::move(list));
  return std::move(list->peers);
}

Result<PeerView> ControlClient::peer(const std::string& name) {
  auto document = ask_for<PeerDocument>(http::Method::Get, {"v1", "peers", name});
  if (!document) return pass(std::move(document));
  return std::move(document->peer);
}

Result<std::string> ControlClient::client_file(const std::string& name) {
  return ask(http::Method::Get, {"v1", "peers", name, "config"});
}

Result<PeerView> ControlClient::add(const NewPeerView& peer) {
  auto document =
      ask_for<PeerDocument>(http::Method::Post, {"v1", "peers"}, http::to_json_text(peer));
  if (!document) return pass(std::move(document));
  return std::move(document->peer);
}

Result<ChangeView> ControlClient::remove(const std::string& name) {
  return ask_for<ChangeView>(http::Method::Delete, {"v1", "peers", name});
}

Result<ChangeView> ControlClient::set_enabled(const std::string& name, bool enabled) {
  return ask_for<ChangeView>(http::Method::Post,
                             {"v1", "peers", name, enabled ? "enable" : "disable"});
}

Result<ChangeView> ControlClient::set_rules(const std::string& name, const RuleChangeView& change) {
  return ask_for<ChangeView>(http::Method::Post, {"v1", "peers", name, "rules"},
                             http::to_json_text(change));
}

Result<ChangeView> ControlClient::forget_key(const std::string& name) {
  return ask_for<ChangeView>(http::Method::Post, {"v1", "peers", name, "forget-key"});
}

}  // namespace ginnel::server
