#include "http/router.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/check.h"
#include "base/text.h"

namespace ginnel::http {
namespace {

bool matches(const std::vector<std::string>& pattern, const std::vector<std::string>& segments,
             PathParameters& parameters) {
  if (pattern.size() != segments.size()) return false;
  parameters.clear();
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const std::string_view piece = pattern[i];
    if (!piece.starts_with('{')) {
      if (piece != segments[i]) return false;
      continue;
    }
    if (segments[i].empty()) return false;
    parameters.set(piece.substr(1, piece.size() - 2), segments[i]);
  }
  return true;
}

}  // namespace

std::string_view PathParameters::operator[](std::string_view name) const {
  const auto found =
      std::ranges::find(values_, name, [](const auto& value) { return value.first; });
  CHECK(found != values_.end());
  return found->second;
}

void Router::add(Method method, std::string_view pattern, RouteHandler handler) {
  CHECK(pattern.starts_with('/'));
  std::vector<std::string> pieces;
  if (pattern != "/") {
    for (const std::string_view piece : split(pattern.substr(1), '/')) {
      CHECK(!piece.empty() && piece.starts_with('{') == piece.ends_with('}'));
      pieces.emplace_back(piece);
    }
  }
  routes_.push_back({method, std::move(pieces), std::move(handler)});
}

Response Router::handle(const Request& request) {
  const Method wanted = request.method == Method::Head ? Method::Get : request.method;
  PathParameters parameters;
  std::vector<std::string_view> allowed;
  for (Route& route : routes_) {
    if (!matches(route.pattern, request.target.segments, parameters)) continue;
    if (route.method == wanted) return route.handler(request, parameters);
    allowed.push_back(to_string(route.method));
    if (route.method == Method::Get) allowed.push_back(to_string(Method::Head));
  }
  if (allowed.empty()) {
    return error_response({ErrorCode::NotFound, "there is nothing at this path"});
  }
  const std::string methods = fmt::format("{}", fmt::join(allowed, ", "));
  Response response;
  if (request.method == Method::Options) {
    response.status = 204;
  } else {
    response = error_response(
        {ErrorCode::InvalidArgument,
         fmt::format("{} does not work here; there is {}", to_string(request.method), methods)},
        405);
  }
  response.headers.push_back({"Allow", methods});
  return response;
}

}  // namespace ginnel::http
