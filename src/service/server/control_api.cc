#include "service/server/control_api.h"

#include "http/metric_families.h"

namespace ginnel::server {
namespace {

using http::Method;
using http::PathParameters;
using http::Request;
using http::Response;

template <class T>
Response answer(const Result<T>& result) {
  if (!result) return http::error_response(result.error());
  return http::json_response(http::to_json_text(*result));
}

Response answer_peer(Result<PeerView> peer) {
  if (!peer) return http::error_response(peer.error());
  return http::json_response(http::to_json_text(PeerDocument{.peer = std::move(*peer)}));
}

}  // namespace

ControlApi::ControlApi(Server& server, const ControlApiOptions& options) : server_(server) {
  add_server_routes();
  add_peer_routes();
  const auto metrics = [this, options](const Request&, const PathParameters&) {
    Response response = http::text_response(server_.metrics_text(options.metrics_per_peer));
    response.content_type = http::kMetricsContentType;
    return response;
  };
  metrics_.add(Method::Get, "/metrics", metrics);
  control_.add(Method::Get, "/metrics", metrics);
}

Response ControlApi::handle(const Request& request) {
  return request.credentials ? control_.handle(request) : metrics_.handle(request);
}

void ControlApi::add_server_routes() {
  control_.add(Method::Get, "/v1/server", [this](const Request&, const PathParameters&) {
    return http::json_response(http::to_json_text(server_.view()));
  });
  control_.add(Method::Post, "/v1/server/reload",
               [this](const Request&, const PathParameters&) { return answer(server_.reload()); });
}

void ControlApi::add_peer_routes() {
  control_.add(Method::Get, "/v1/peers", [this](const Request&, const PathParameters&) {
    return http::json_response(http::to_json_text(PeerListDocument{.peers = server_.peers()}));
  });
  control_.add(Method::Post, "/v1/peers", [this](const Request& request, const PathParameters&) {
    const auto view = http::from_json_text<NewPeerView>(request.body);
    if (!view) return http::error_response(view.error());
    auto peer = parse_new_peer(*view);
    if (!peer) return http::error_response(peer.error());
    return answer_peer(server_.add_peer(std::move(*peer)));
  });
  control_.add(Method::Get, "/v1/peers/{name}", [this](const Request&, const PathParameters& path) {
    return answer_peer(server_.peer(path["name"]));
  });
  control_.add(Method::Delete, "/v1/peers/{name}",
               [this](const Request&, const PathParameters& path) {
                 return answer(server_.remove_peer(path["name"]));
               });
  control_.add(Method::Get, "/v1/peers/{name}/config",
               [this](const Request&, const PathParameters& path) {
                 auto file = server_.client_file(path["name"]);
                 if (!file) return http::error_response(file.error());
                 return http::text_response(std::move(*file));
               });
  control_.add(Method::Post, "/v1/peers/{name}/enable",
               [this](const Request&, const PathParameters& path) {
                 return answer(server_.set_peer_enabled(path["name"], true));
               });
  control_.add(Method::Post, "/v1/peers/{name}/disable",
               [this](const Request&, const PathParameters& path) {
                 return answer(server_.set_peer_enabled(path["name"], false));
               });
  control_.add(Method::Post, "/v1/peers/{name}/rules",
               [this](const Request& request, const PathParameters& path) {
                 const auto view = http::from_json_text<RuleChangeView>(request.body);
                 if (!view) return http::error_response(view.error());
                 const auto change = parse_rule_change(*view);
                 if (!change) return http::error_response(change.error());
                 return answer(server_.set_peer_rules(path["name"], *change));
               });
  control_.add(Method::Post, "/v1/peers/{name}/forget-key",
               [this](const Request&, const PathParameters& path) {
                 return answer(server_.forget_peer_key(path["name"]));
               });
}

}  // namespace ginnel::server
