// The tunnel's server, if the file gives it by name: found again when it moves, for as long as the
// cage lives. Names are looked up outside, as they were before the cage was made; the session of a
// server that answers is left alone.
#pragma once

#include <set>

#include "core/config/lost_peers.h"
#include "service/tunnel/host_lookups.h"
#include "service/tunnel/wg_device.h"

namespace ginnel::cage {

class ServerSearch {
 public:
  static constexpr Duration kLookInterval = 15s;

  static Result<ServerSearch> create(config::QuickFile file, MonoTime now);

  int fd() const { return lookups_.fd(); }  // Readable when there are answers.
  MonoTime next_timeout() const { return look_.at(); }
  // Asks for the names of peers that may have moved.
  void handle_timeout(const Now& now, tunnel::WgDevice& device);
  // Tries those peers where their names lead now.
  void handle_answers(UnixTime now, tunnel::WgDevice& device);

 private:
  ServerSearch(config::QuickFile file, tunnel::HostLookups lookups)
      : file_(std::move(file)), lookups_(std::move(lookups)) {}

  config::QuickFile file_;
  tunnel::HostLookups lookups_;
  config::LostPeers lost_;
  std::set<std::string> asked_;  // Names without an answer yet.
  Deadline look_;                // Not armed when every endpoint is an address.
};

}  // namespace ginnel::cage
