// The peers of a server, for commands: the running server if there is one, else its files.
#pragma once

#include <memory>

#include "service/server/server_paths.h"
#include "service/server/views.h"

namespace ginnel::server {

class PeerService {
 public:
  virtual ~PeerService() = default;

  // False: what is changed counts from the server's next start on.
  virtual bool is_running() const = 0;

  virtual Result<std::vector<PeerView>> peers() = 0;
  virtual Result<PeerView> peer(const std::string& name) = 0;
  // The client's wg-quick file. It holds keys.
  virtual Result<std::string> client_file(const std::string& name) = 0;
  virtual Result<PeerView> add(const NewPeerView& peer) = 0;
  virtual Result<ChangeView> remove(const std::string& name) = 0;
  virtual Result<ChangeView> set_enabled(const std::string& name, bool enabled) = 0;
  virtual Result<ChangeView> set_rules(const std::string& name, const RuleChangeView& change) = 0;
  virtual Result<ChangeView> forget_key(const std::string& name) = 0;
};

}  // namespace ginnel::server
