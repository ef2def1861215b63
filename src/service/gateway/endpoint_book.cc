#include "service/gateway/endpoint_book.h"

#include <fmt/format.h>

#include "base/log.h"
#include "os/file.h"
#include "os/name_lookup.h"

namespace ginnel::gateway {
namespace {

std::unexpected<Error> at_endpoint(const GatewayTunnel& tunnel, const Error& error) {
  return fail(error.code, fmt::format("{}:{}: Endpoint: {}", tunnel.path,
                                      tunnel.peer().endpoint_line, error.message));
}

Result<std::uint16_t> port_of(const GatewayTunnel& tunnel) {
  const auto port = os::look_up_port(tunnel.peer().endpoint->port);
  if (!port) return at_endpoint(tunnel, port.error());
  return *port;
}

std::vector<net::Endpoint> with_port(const std::vector<net::Address>& addresses,
                                     std::uint16_t port) {
  std::vector<net::Endpoint> endpoints;
  for (const net::Address& address : addresses) {
    endpoints.push_back({.address = address, .port = port});
  }
  return endpoints;
}

}  // namespace

EndpointBook EndpointBook::open(const std::string& state_directory) {
  EndpointBook book(state_directory);
  if (!os::file_exists(book.path())) return book;
  const auto text = os::read_file(book.path(), PinnedNames::kMaxTextSize);
  auto pinned = text ? PinnedNames::parse(*text) : std::unexpected(text.error());
  if (pinned) {
    book.pinned_ = std::move(*pinned);
  } else {
    log::warn("{}: {}; names of endpoints are looked up anew", book.path(), pinned.error().message);
  }
  return book;
}

std::string EndpointBook::name_of(const GatewayTunnel& tunnel) {
  const std::string& host = tunnel.peer().endpoint->host;
  return net::Address::parse(host) ? "" : host;
}

Result<std::vector<net::Endpoint>> EndpointBook::known(const GatewayTunnel& tunnel) const {
  const auto port = port_of(tunnel);
  if (!port) return std::unexpected(port.error());
  const std::string& host = tunnel.peer().endpoint->host;
  if (const auto address = net::Address::parse(host)) return with_port({*address}, *port);
  return with_port(pinned_.find(host), *port);
}

Result<std::vector<net::Endpoint>> EndpointBook::find(const GatewayTunnel& tunnel, Order order,
                                                      const LookUp& look_up) {
  auto present = known(tunnel);
  if (!present) return present;
  const std::string name = name_of(tunnel);
  const bool asks = order == Order::AskFirst || present->empty();
  if (name.empty() || !asks) return present;
  auto found = look_up(name);
  if (found) return note(tunnel, std::move(*found));
  if (!present->empty()) return present;
  return at_endpoint(tunnel, found.error());
}

Result<std::vector<net::Endpoint>> EndpointBook::note(const GatewayTunnel& tunnel,
                                                      std::vector<net::Address> addresses) {
  const auto port = port_of(tunnel);
  if (!port) return std::unexpected(port.error());
  if (addresses.size() > PinnedNames::kMaxAddresses) addresses.resize(PinnedNames::kMaxAddresses);
  pin(tunnel.peer().endpoint->host, addresses);
  return with_port(addresses, *port);
}

void EndpointBook::pin(const std::string& name, std::vector<net::Address> addresses) {
  if (!pinned_.pin(name, std::move(addresses))) return;
  Status saved = os::make_directories(directory_, 0700);
  if (saved) saved = os::write_file_atomically(path(), pinned_.to_text(), 0600);
  if (!saved) log::warn("{}: {}", path(), saved.error().message);
}

}  // namespace ginnel::gateway
