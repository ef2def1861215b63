#include "core/config/uapi.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace ginnel::config {
namespace {

// An IPv4 address inside an IPv6 one is the same host, and only an IPv4 socket reaches it.
net::Address unmapped(const net::Address& address) {
  static constexpr std::uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  const ByteView bytes = address.bytes();
  if (address.is_v4() || !std::equal(kMapped, kMapped + 12, bytes.begin())) return address;
  return net::Address::from_bytes(bytes.subspan(12));
}

}  // namespace

UapiErrno uapi_errno_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::InvalidArgument:
      return UapiErrno::Invalid;
    case ErrorCode::AlreadyExists:
      return UapiErrno::AddressInUse;
    case ErrorCode::PermissionDenied:
      return UapiErrno::NotPermitted;
    case ErrorCode::Io:
      return UapiErrno::Io;
    default:
      return UapiErrno::Other;
  }
}

UapiLine UapiLine::cut(std::string_view line) {
  const std::size_t equals = line.find('=');
  if (equals == std::string_view::npos) return {line, {}, false};
  return {line.substr(0, equals), line.substr(equals + 1), true};
}

std::optional<net::Endpoint> parse_uapi_endpoint(std::string_view text, const ZoneLookup& zones) {
  const std::size_t percent = text.find('%');
  const std::size_t bracket = text.find(']', percent);
  std::string numeric;
  if (percent != std::string_view::npos && bracket != std::string_view::npos) {
    const std::string_view zone = text.substr(percent + 1, bracket - percent - 1);
    if (!parse_number<std::uint32_t>(zone, 0, UINT32_MAX)) {
      const auto index = zones ? zones(zone) : std::nullopt;
      if (!index) return std::nullopt;
      numeric = fmt::format("{}%{}{}", text.substr(0, percent), *index, text.substr(bracket));
      text = numeric;
    }
  }
  auto endpoint = net::Endpoint::parse(text);
  if (!endpoint) return std::nullopt;
  endpoint->address = unmapped(endpoint->address);
  return *endpoint;
}

}  // namespace ginnel::config
