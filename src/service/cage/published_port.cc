#include "service/cage/published_port.h"

#include <fmt/format.h>

#include "base/text.h"

namespace ginnel::cage {
namespace {

std::optional<std::uint16_t> parse_port(std::string_view text) {
  return parse_number<std::uint16_t>(text, 1, UINT16_MAX);
}

std::unexpected<Error> not_a_port(std::string_view text) {
  return fail(ErrorCode::InvalidArgument,
              fmt::format("\"{}\" is no port to publish; write PORT, PORT:INSIDE, ADDRESS:PORT or "
                          "ADDRESS:PORT:INSIDE, like 8080:80 or [::1]:8080",
                          text.substr(0, 80)));
}

}  // namespace

Result<PublishedPort> PublishedPort::parse(std::string_view text) {
  PublishedPort published{.outside = {.address = net::Address::v4({127, 0, 0, 1})}};
  std::string_view rest = text;
  const bool is_bracketed = rest.starts_with('[');
  const std::size_t address_end = is_bracketed ? rest.find("]:") : rest.find(':');
  const std::string_view first = rest.substr(is_bracketed, address_end - is_bracketed);
  if (address_end != std::string_view::npos && (is_bracketed || !parse_port(first))) {
    const auto address = net::Address::parse(first);
    if (!address || address->is_v4() == is_bracketed) return not_a_port(text);
    published.outside.address = *address;
    rest.remove_prefix(address_end + (is_bracketed ? 2 : 1));
  }
  const std::size_t colon = rest.find(':');
  const auto outside = parse_port(rest.substr(0, colon));
  const auto inside =
      colon == std::string_view::npos ? outside : parse_port(rest.substr(colon + 1));
  if (!outside || !inside) return not_a_port(text);
  published.outside.port = *outside;
  published.inside = *inside;
  return published;
}

}  // namespace ginnel::cage
