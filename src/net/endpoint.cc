#include "net/endpoint.h"

#include <fmt/format.h>

#include "base/text.h"

namespace ginnel::net {
namespace {

std::unexpected<Error> bad(std::string_view text) {
  return fail(ErrorCode::InvalidArgument,
              fmt::format("\"{}\" is not an endpoint; write one like 192.0.2.1:51820 or "
                          "[2001:db8::1]:51820",
                          text.substr(0, 80)));
}

}  // namespace

Result<Endpoint> Endpoint::parse(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return bad(text);
  const auto port = parse_number<unsigned>(text.substr(colon + 1), 0, 65535);
  if (!port) return bad(text);
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  Endpoint endpoint;
  endpoint.port = static_cast<std::uint16_t>(*port);
  if (const std::size_t percent = host.find('%'); bracketed && percent != std::string_view::npos) {
    const auto scope = parse_number<std::uint32_t>(host.substr(percent + 1), 1, 0x7fffffff);
    if (!scope) return bad(text);
    endpoint.scope = *scope;
    host = host.substr(0, percent);
  }
  const auto address = Address::parse(host);
  if (!address || address->is_v4() == bracketed) return bad(text);
  endpoint.address = *address;
  return endpoint;
}

std::string Endpoint::to_string() const {
  if (address.is_v4()) return fmt::format("{}:{}", address.to_string(), port);
  if (scope != 0) return fmt::format("[{}%{}]:{}", address.to_string(), scope, port);
  return fmt::format("[{}]:{}", address.to_string(), port);
}

}  // namespace ginnel::net
