// Chooses the handler of a request by its method and path.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"

namespace ginnel::http {

// The values of a pattern's {parameters}; valid during the handler's call.
class PathParameters {
 public:
  void set(std::string_view name, std::string_view value) { values_.push_back({name, value}); }
  void clear() { values_.clear(); }
  // REQUIRES: the pattern has a parameter of that name.
  std::string_view operator[](std::string_view name) const;

 private:
  std::vector<std::pair<std::string_view, std::string_view>> values_;
};

class Router {
 public:
  using RouteHandler = std::move_only_function<Response(const Request&, const PathParameters&)>;

  // A pattern is like "/peers/{name}/config": a segment is itself, or any text that is not empty.
  // Of two patterns that match, the one added first wins. GET answers HEAD too.
  void add(Method method, std::string_view pattern, RouteHandler handler);

  // 404 when no pattern matches, 405 when one does but not for the method; OPTIONS says for which.
  // A slash at the end of the path makes no difference.
  Response handle(const Request& request);

 private:
  struct Route {
    Method method;
    std::vector<std::string> pattern;
    RouteHandler handler;
  };

  std::vector<Route> routes_;
};

}  // namespace ginnel::http
