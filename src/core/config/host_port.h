// A host as a person writes it, by name or by address, with or without a port. Names are looked up
// by services, never here.
#pragma once

#include <optional>
#include <string>

#include "net/endpoint.h"

namespace ginnel::config {

inline constexpr std::size_t kMaxHostName = 253;

struct HostPort {
  std::string host;  // A name, or an address without brackets.
  std::optional<std::uint16_t> port;

  // HOST, HOST:PORT, ADDRESS, [ADDRESS] or [ADDRESS]:PORT. Ports are 1 to 65535.
  static Result<HostPort> parse(std::string_view text);
  static HostPort of(const net::Address& address, std::uint16_t port) {
    return {address.to_string(), port};
  }

  // The address, if the host is not a name.
  std::optional<net::Address> address() const;
  // HOST:PORT, with brackets where they are needed.
  std::string to_string(std::uint16_t default_port) const;

  friend bool operator==(const HostPort&, const HostPort&) = default;
};

// Whether this can be the name of a host or domain: labels of letters, digits, '-' and '_'. Numbers
// and dots alone are a mistyped address.
bool is_host_name(std::string_view text);

}  // namespace ginnel::config
