// Endpoints that a file gives by name, for as long as a tunnel stands: a server that moved to
// another address is found again, without anything happening to the sessions of peers that can be
// reached.
#pragma once

#include <map>

#include "service/quick/source.h"

namespace ginnel::quick {

class EndpointWatch {
 public:
  enum class Peers : std::uint8_t {
    Lost,         // Of which nothing was heard for a while.
    LostAndSent,  // The same, but only if something was sent to it since the last look.
  };

  // Looks up the names of such peers, and changes their endpoints where there is another to try. A
  // name that cannot be found does not keep the others from being changed, but is the error.
  Status look(const Source& source, Peers which);

 private:
  std::map<crypto::PublicKey, std::uint64_t> sent_;  // Bytes, at the last look.
};

}  // namespace ginnel::quick
