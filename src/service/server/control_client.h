// The other end of a running server's control socket.
#pragma once

#include "http/client.h"
#include "service/server/peer_service.h"

namespace ginnel::server {

class ControlClient final : public PeerService {
 public:
  explicit ControlClient(std::string socket) : socket_(std::move(socket)) {}

  // The running server: the one on `interface`, or the only one. Null when there is none. Fails
  // when there are several to choose from, or when one may not be talked to.
  static Result<std::unique_ptr<ControlClient>> find(const ServerPaths& paths,
                                                     const std::optional<std::string>& interface);

  Result<ServerView> server();
  Result<ChangeView> reload();

  bool is_running() const override { return true; }
  Result<std::vector<PeerView>> peers() override;
  Result<PeerView> peer(const std::string& name) override;
  Result<std::string> client_file(const std::string& name) override;
  Result<PeerView> add(const NewPeerView& peer) override;
  Result<ChangeView> remove(const std::string& name) override;
  Result<ChangeView> set_enabled(const std::string& name, bool enabled) override;
  Result<ChangeView> set_rules(const std::string& name, const RuleChangeView& change) override;
  Result<ChangeView> forget_key(const std::string& name) override;

 private:
  Result<std::string> ask(http::Method method, std::vector<std::string> path,
                          std::string body = {});
  template <class T>
  Result<T> ask_for(http::Method method, std::vector<std::string> path, std::string body = {});

  std::string socket_;
};

}  // namespace ginnel::server
