// The DNS server of a gateway's LAN: on the gateway's own LAN addresses, and upstream the active
// tunnel's servers alone.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/gateway/gateway_config.h"
#include "core/hostnet/host_state.h"
#include "service/resolver/resolver.h"

namespace ginnel::gateway {

class LanResolver {
 public:
  // To be called whenever one of them may have changed. A port that somebody else has is logged,
  // once, and tried again the next time.
  void follow(const GatewayConfig& config, const hostnet::HostState& host,
              const GatewayTunnel& active);

  // What it did since it was last begun, each that is not zero: "queries", "answered_from_cache".
  std::map<std::string, std::uint64_t> counters() const;

 private:
  // A socket is bound to an interface by its number: one that is made again has another.
  struct Place {
    net::Endpoint at;
    std::uint32_t interface_index;
    friend bool operator==(const Place&, const Place&) = default;
  };
  static std::vector<Place> numbered(const std::vector<resolver::ListenPlace>& listen,
                                     const hostnet::HostState& host);

  std::vector<Place> places_;
  std::vector<net::Endpoint> upstreams_;
  std::unique_ptr<resolver::Resolver> resolver_;
  bool complained_ = false;
};

}  // namespace ginnel::gateway
