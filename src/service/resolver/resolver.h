// A DNS forwarder for the clients of a tunnel or the hosts behind a gateway. It answers on the
// addresses it is given and asks only the servers it is given, out of the interface it is given:
// when that is down, it says so at once and asks nobody else.
#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/dns/counters.h"
#include "net/endpoint.h"
#include "os/connected_socket.h"

namespace ginnel::resolver {

inline constexpr std::uint16_t kDnsPort = 53;

struct ListenPlace {
  net::Endpoint at;         // UDP and TCP.
  std::string interface{};  // Who comes in elsewhere is not answered. Empty: whoever comes.
};

struct ResolverOptions {
  std::vector<ListenPlace> listen;       // At least one.
  std::vector<net::Endpoint> upstreams;  // In the order in which they are asked. None: SERVFAIL.
  os::SocketOrigin origin;               // How questions leave.
  bool mixes_case = false;               // The letters of a question are part of its secret (0x20).
};

class ResolverLoop;

class Resolver {
  struct Key {};  // Only start() makes one.

 public:
  static constexpr std::size_t kMaxPlaces = 64;

  // Binds, and starts the thread that answers. Fails when somebody else has an address.
  static Result<std::unique_ptr<Resolver>> start(const ResolverOptions& options);
  Resolver(Key, std::unique_ptr<ResolverLoop> loop);
  ~Resolver();

  // Any thread, for all of these. Answers of other upstreams are forgotten.
  void set_upstreams(std::vector<net::Endpoint> upstreams);
  std::uint64_t count(dns::Count count) const;
  // Each that is not zero: "queries", "upstream_timeouts".
  std::vector<std::pair<std::string, std::uint64_t>> counters() const;

 private:
  std::unique_ptr<ResolverLoop> loop_;
  std::jthread thread_;
};

}  // namespace ginnel::resolver
