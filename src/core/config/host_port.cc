#include "core/config/host_port.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace ginnel::config {
namespace {

constexpr std::size_t kMaxLabel = 63;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_label(std::string_view label) {
  const auto is_inner = [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
  };
  return !label.empty() && label.size() <= kMaxLabel && label.front() != '-' &&
         label.back() != '-' && std::all_of(label.begin(), label.end(), is_inner);
}

std::unexpected<Error> bad(std::string_view text) {
  return fail(ErrorCode::InvalidArgument,
              fmt::format("\"{}\" is not a host; write one like vpn.example.org, 192.0.2.1:51820 "
                          "or [2001:db8::1]:51820",
                          text.substr(0, 80)));
}

}  // namespace

Result<HostPort> HostPort::parse(std::string_view text) {
  HostPort result;
  std::string_view host = text;
  const std::size_t colon = text.rfind(':');
  const bool is_bare_v6 = text.find(':') != colon && !text.starts_with('[');
  if (!is_bare_v6 && colon != std::string_view::npos && !text.ends_with(']')) {
    result.port = parse_number<std::uint16_t>(text.substr(colon + 1), 1, UINT16_MAX);
    if (!result.port) return bad(text);
    host = text.substr(0, colon);
  }
  const bool is_bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (is_bracketed) host = host.substr(1, host.size() - 2);
  const auto address = net::Address::parse(host);
  if (address ? address->is_v4() && is_bracketed : is_bracketed || !is_host_name(host)) {
    return bad(text);
  }
  result.host = address ? address->to_string() : std::string(host);
  return result;
}

std::optional<net::Address> HostPort::address() const {
  const auto parsed = net::Address::parse(host);
  return parsed ? std::optional(*parsed) : std::nullopt;
}

std::string HostPort::to_string(std::uint16_t default_port) const {
  const std::uint16_t shown_port = port.value_or(default_port);
  const bool is_v6 = host.find(':') != std::string::npos;
  return is_v6 ? fmt::format("[{}]:{}", host, shown_port) : fmt::format("{}:{}", host, shown_port);
}

bool is_host_name(std::string_view text) {
  if (text.size() > kMaxHostName) return false;
  if (text.ends_with('.')) text.remove_suffix(1);
  const bool has_letter =
      std::any_of(text.begin(), text.end(), [](char c) { return !is_digit(c) && c != '.'; });
  const auto labels = split(text, '.');
  return has_letter && std::all_of(labels.begin(), labels.end(), is_label);
}

}  // namespace ginnel::config
