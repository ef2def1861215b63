// Where the peers of a gateway's tunnels are: addresses as the files have them, names as they were
// once found to be. Names are kept in a file, so that a locked host asks nobody in clear.
#pragma once

#include <string>
#include <vector>

#include "core/gateway/gateway_config.h"
#include "core/gateway/pinned_names.h"
#include "net/endpoint.h"

namespace ginnel::gateway {

class EndpointBook {
 public:
  // Reads what was pinned. A file that cannot be understood is as none.
  static EndpointBook open(const std::string& state_directory);

  // Whether names may be asked for in clear.
  enum class Lookups : std::uint8_t { Allowed, Forbidden };
  // At least one. In clear a name is asked for, and pinned, only while that is allowed; what was
  // pinned serves when nobody answers.
  Result<std::vector<net::Endpoint>> find(const GatewayTunnel& tunnel, Lookups lookups);

  // The name to ask for; empty: the file has an address.
  static std::string name_of(const GatewayTunnel& tunnel);
  // What was found for the name of this tunnel's peer, by way of a tunnel.
  Result<std::vector<net::Endpoint>> note(const GatewayTunnel& tunnel,
                                          std::vector<net::Address> addresses);

 private:
  explicit EndpointBook(std::string directory) : directory_(std::move(directory)) {}
  std::string path() const { return directory_ + "/endpoints"; }
  void pin(const std::string& name, std::vector<net::Address> addresses);

  std::string directory_;
  PinnedNames pinned_;
};

}  // namespace ginnel::gateway
