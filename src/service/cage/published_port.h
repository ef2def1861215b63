// A port of the host that leads into a cage, as it is written: [ADDRESS:]PORT[:INSIDE].
#pragma once

#include <string_view>

#include "net/endpoint.h"

namespace ginnel::cage {

inline constexpr std::size_t kMaxPublishedPorts = 64;

struct PublishedPort {
  net::Endpoint outside;     // 127.0.0.1 unless an address says otherwise.
  std::uint16_t inside = 0;  // On the cage's loopback; the same number unless another follows.

  static Result<PublishedPort> parse(std::string_view text);
  friend bool operator==(const PublishedPort&, const PublishedPort&) = default;
};

}  // namespace ginnel::cage
