// The far side of a twin's tunnel: a peer with keys of its own where the policy's endpoint is, and
// behind it a web server that says whom it sees, and a resolver that does. In the twin's internet,
// so that they can be reached in clear too, if the lock lets anybody.
#pragma once

#include <memory>
#include <thread>

#include "core/crypto/keys.h"
#include "http/server.h"
#include "os/udp_socket.h"
#include "service/leaktest/twin.h"
#include "service/tunnel/tunnel.h"

namespace ginnel::leaktest {

inline constexpr std::uint16_t kWebPort = 80;
inline constexpr std::uint16_t kDnsPort = 53;
// Datagrams come back from there, so that a flow is one in both directions.
using leaks::kEchoPort;

class Provider {
 public:
  // The keys of the host's ends; the first has the policy's addresses. Without endpoints there is
  // no tunnel, only servers.
  static Result<std::unique_ptr<Provider>> start(const Twin& twin,
                                                 const std::vector<crypto::PublicKey>& clients);
  explicit Provider(http::Handler handler) : web_(std::move(handler)) {}
  ~Provider();

  const crypto::PublicKey& key() const { return key_; }

 private:
  Status start_tunnel(const Twin& twin, const std::vector<crypto::PublicKey>& clients);
  Status start_servers(const Twin& twin);
  Status listen(const leaks::TwinPlan& plan, bool has_ipv6);
  Status listen_for_datagrams(net::Family family);
  void answer_datagrams(const std::stop_token& stop);

  crypto::PublicKey key_;
  std::unique_ptr<tunnel::Tunnel> tunnel_;
  http::Server web_;
  std::vector<std::unique_ptr<os::UdpSocket>> sockets_;  // For names and for echoes.
  std::jthread web_thread_;
  std::jthread datagrams_thread_;
};

// Who the web server sees when this host, or this namespace, asks it. Fails when it is not reached
// within `patience`.
Result<net::Address> ask_web(const net::Address& server, Duration patience);
// The same of the resolver.
Result<net::Address> ask_name(const net::Address& server, Duration patience);

}  // namespace ginnel::leaktest
