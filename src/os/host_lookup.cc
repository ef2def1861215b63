#include "os/host_lookup.h"

#include <errno.h>
#include <fmt/format.h>
#include <netdb.h>

#include <memory>

#include "os/os_error.h"
#include "os/socket_address.h"

namespace ginnel::os {

Result<std::vector<net::Address>> look_up_host(const std::string& name) {
  addrinfo wanted{};
  wanted.ai_family = AF_UNSPEC;
  wanted.ai_socktype = SOCK_DGRAM;  // One answer an address, not one a protocol.
  addrinfo* answers = nullptr;
  const int failure = ::getaddrinfo(name.c_str(), nullptr, &wanted, &answers);
  const std::string what = fmt::format("look up {}", name);
  if (failure == EAI_SYSTEM) return os_fail(what, errno);
  if (failure != 0) {
    return fail(failure == EAI_AGAIN ? ErrorCode::Unavailable : ErrorCode::NotFound,
                fmt::format("{}: {}", what, ::gai_strerror(failure)));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(answers, &::freeaddrinfo);
  std::vector<net::Address> addresses;
  for (const addrinfo* answer = answers; answer != nullptr; answer = answer->ai_next) {
    if (answer->ai_family == AF_INET) {
      sockaddr_in v4{};
      std::memcpy(&v4, answer->ai_addr, sizeof v4);
      addresses.push_back(from_in_addr(v4.sin_addr));
    } else if (answer->ai_family == AF_INET6) {
      sockaddr_in6 v6{};
      std::memcpy(&v6, answer->ai_addr, sizeof v6);
      addresses.push_back(from_in6_addr(v6.sin6_addr));
    }
  }
  return addresses;
}

}  // namespace ginnel::os
