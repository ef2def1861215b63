#include "os/name_lookup.h"

#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>

#include <memory>

#include "os/socket_address.h"

namespace ginnel::os {
namespace {

using Addresses = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

struct Found {
  int error = 0;
  Addresses list{nullptr, &freeaddrinfo};
};

Found ask(const char* host, const char* port) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_DGRAM;
  hints.ai_protocol = IPPROTO_UDP;
  if (host == nullptr) hints.ai_flags = AI_PASSIVE;
  addrinfo* list = nullptr;
  Found found;
  found.error = getaddrinfo(host, port, &hints, &list);
  if (found.error == 0) found.list.reset(list);
  return found;
}

// Who is asked may be unreachable for the moment; that a name does not exist is final.
bool is_final(int error) {
  return error == EAI_NONAME || error == EAI_FAIL || error == EAI_SERVICE || error == EAI_NODATA ||
         error == EAI_ADDRFAMILY;
}

std::string reason_of(int error) {
  return error == EAI_SYSTEM ? std::string("the system's resolver failed") : gai_strerror(error);
}

net::Endpoint endpoint_of(const addrinfo& answer) {
  SocketAddress address{};
  std::memcpy(&address, answer.ai_addr, std::min<std::size_t>(answer.ai_addrlen, sizeof address));
  return from_socket_address(address);
}

std::unexpected<Error> not_found(const std::string& host, int error) {
  return fail(is_final(error) ? ErrorCode::NotFound : ErrorCode::Unavailable,
              fmt::format("look up {}: {}", host, reason_of(error)));
}

std::unexpected<Error> no_service(const std::string& port) {
  return fail(ErrorCode::NotFound,
              fmt::format("\"{}\" is no UDP service that this host knows; write its number", port));
}

}  // namespace

Result<std::vector<net::Address>> look_up_host(const std::string& name) {
  const Found found = ask(name.c_str(), nullptr);
  if (found.error != 0) return not_found(name, found.error);
  std::vector<net::Address> addresses;
  for (const addrinfo* answer = found.list.get(); answer != nullptr; answer = answer->ai_next) {
    addresses.push_back(endpoint_of(*answer).address);
  }
  return addresses;
}

Result<net::Endpoint> look_up(const std::string& host, const std::string& port) {
  const Found found = ask(host.c_str(), port.c_str());
  if (found.error == EAI_SERVICE) return no_service(port);
  if (found.error != 0) return not_found(host, found.error);
  return endpoint_of(*found.list);
}

Result<std::vector<net::Endpoint>> look_up_all(const std::string& host, const std::string& port) {
  const Found found = ask(host.c_str(), port.c_str());
  if (found.error == EAI_SERVICE) return no_service(port);
  if (found.error != 0) return not_found(host, found.error);
  std::vector<net::Endpoint> endpoints;
  for (const addrinfo* answer = found.list.get(); answer != nullptr; answer = answer->ai_next) {
    endpoints.push_back(endpoint_of(*answer));
  }
  return endpoints;
}

Result<std::uint16_t> look_up_port(const std::string& port) {
  const Found found = ask(nullptr, port.c_str());
  if (found.error != 0) return no_service(port);
  return endpoint_of(*found.list).port;
}

}  // namespace ginnel::os
