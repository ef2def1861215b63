// Where the peers of a gateway's tunnels are: addresses as the files have them, names as they were
// once found to be. Names are kept in a file, so that a locked host asks nobody in clear.
#pragma once

#include <functional>
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

  // Asks for a name in clear, which it says.
  using LookUp = std::function<Result<std::vector<net::Address>>(const std::string& name)>;
  // Which of the two counts when a name was pinned: on a host that is locked, the pins.
  enum class Order : std::uint8_t { AskFirst, PinsFirst };
  // At least one. What is found is pinned.
  Result<std::vector<net::Endpoint>> find(const GatewayTunnel& tunnel, Order order,
                                          const LookUp& look_up);

  // Without asking anybody: the file's address, or what was pinned. Empty: nothing was.
  Result<std::vector<net::Endpoint>> known(const GatewayTunnel& tunnel) const;

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
