// Which peers of a file may be at another address by now, look by look. Pure; whoever drives it
// knows the time and looks the names up.
#pragma once

#include <map>
#include <vector>

#include "core/config/quick_file.h"

namespace ginnel::config {

class LostPeers {
 public:
  enum class Which : std::uint8_t {
    All,   // Of which nothing was heard for a while.
    Sent,  // The same, but only if something was sent to it since the last look.
  };

  // In the file's order, with what the device says of each. Borrows from both.
  struct Lost {
    const QuickPeer* peer;
    const wg::PeerStatus* present;
  };
  std::vector<Lost> find(const QuickFile& file, const wg::DeviceStatus& device, UnixTime now,
                         Which which);

 private:
  std::map<crypto::PublicKey, std::uint64_t> sent_;  // Bytes, at the last look.
};

// The peer is tried there; nothing else of it changes.
wg::PeerChange moved_to(const QuickPeer& peer, const net::Endpoint& endpoint);

}  // namespace ginnel::config
