// Endpoints that a file gives by name, for as long as a tunnel stands: a server that moved to
// another address is found again, without anything happening to the sessions of peers that can be
// reached.
#pragma once

#include "core/config/lost_peers.h"
#include "service/quick/source.h"

namespace ginnel::quick {

class EndpointWatch {
 public:
  // Looks up the names of such peers, and changes their endpoints where there is another to try. A
  // name that cannot be found does not keep the others from being changed, but is the error.
  Status look(const Source& source, config::LostPeers::Which which);

 private:
  config::LostPeers lost_;
};

}  // namespace ginnel::quick
