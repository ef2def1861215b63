// The resolver of a server's clients: on the server's own addresses in the tunnel, for those who
// come in by it, and asking whom the host itself asks.
#pragma once

#include "net/prefix.h"
#include "service/resolver/resolver.h"
#include "service/server/metrics.h"

namespace ginnel::server {

class ClientResolver {
 public:
  // Answers on these addresses from now on, and looks again at whom the host asks. Fails when
  // another program has the port there; then nobody answers.
  Status follow(const std::string& interface, const std::vector<net::InterfaceAddress>& addresses);
  void stop();

  // Since the beginning, however often it was stopped; empty if it never ran.
  LabelledCounts counts() const;

 private:
  Status start(const std::string& interface, const std::vector<net::Address>& addresses);

  std::unique_ptr<resolver::Resolver> resolver_;
  std::string interface_;
  std::vector<net::Address> addresses_;
  std::vector<net::Endpoint> upstreams_;
  LabelledCounts before_;  // Of those that were stopped.
};

}  // namespace ginnel::server
