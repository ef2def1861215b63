// What both ends of the userspace control socket agree on (docs: "wg" and its cross-platform
// protocol). Requests and answers are lines of KEY=VALUE that end with an empty line.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "net/endpoint.h"

namespace ginnel::config {

inline constexpr std::size_t kMaxUapiLine = 4096;            // Without its line end.
inline constexpr std::size_t kMaxUapiRequest = 64u << 20;    // With every line end.
inline constexpr std::size_t kMaxUapiResponse = 512u << 20;  // As a client accepts it.
inline constexpr std::string_view kUapiGetRequest = "get=1\n\n";

enum class UapiVerb : std::uint8_t { Get, Set };

// The values that `errno=` may have.
enum class UapiErrno : int {
  Ok = 0,
  NotPermitted = 1,
  Io = 5,
  Invalid = 22,
  Other = 55,
  Protocol = 71,
  AddressInUse = 98,
};

// What to answer when carrying out a request failed with `code`.
UapiErrno uapi_errno_of(ErrorCode code);

// A line cut at its first '='. Without one it is no key and value at all.
struct UapiLine {
  std::string_view key;
  std::string_view value;
  bool has_value = false;

  static UapiLine cut(std::string_view line);
};

// The interface index of a zone name, as in fe80::1%eth0; nothing if there is no such interface.
using ZoneLookup = std::function<std::optional<std::uint32_t>(std::string_view)>;

// ADDRESS:PORT or [ADDRESS]:PORT, never a name. A zone that is not a number goes to `zones`. An
// IPv4 address written as IPv6 becomes one of IPv4.
std::optional<net::Endpoint> parse_uapi_endpoint(std::string_view text, const ZoneLookup& zones);

}  // namespace ginnel::config
