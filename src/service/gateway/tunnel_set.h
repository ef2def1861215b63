// A gateway's tunnels: one device for each file, all of them up, so that a standby has its session
// when it is needed.
#pragma once

#include <memory>
#include <thread>
#include <vector>

#include "core/gateway/failover.h"
#include "core/gateway/gateway_network.h"
#include "os/rtnetlink.h"
#include "service/tunnel/tunnel.h"
#include "service/tunnel/uapi_server.h"

namespace ginnel::gateway {

class TunnelSet {
 public:
  TunnelSet() = default;
  ~TunnelSet();
  TunnelSet(const TunnelSet&) = delete;
  TunnelSet& operator=(const TunnelSet&) = delete;

  // What tunnels will be that are not made yet.
  static std::vector<TunnelFacts> plan(const GatewayConfig& config,
                                       std::vector<std::vector<net::Endpoint>> endpoints,
                                       os::Rtnetlink& rtnetlink);

  // Makes and configures one for each file, down and without addresses. `config` is borrowed for as
  // long as this lives.
  Status start(const GatewayConfig& config, std::vector<TunnelFacts> planned,
               const tunnel::PathChoice& path);

  const std::vector<TunnelFacts>& facts() const { return facts_; }
  std::size_t size() const { return tunnels_.size(); }
  int ended_fd(std::size_t index) const { return tunnels_[index].device->ended_fd(); }

  // What a tunnel is, by a look at its device.
  struct Look {
    TunnelTraffic traffic{};  // Since it was made, over all the peers it had.
    std::optional<crypto::PublicKey> public_key{};
    std::optional<net::Endpoint> endpoint{};
    std::optional<UnixTime> last_handshake{};
  };
  Result<Look> look(std::size_t index);
  Status greet(std::size_t index);
  // The peer may be at other addresses. The one in use stays if it is among them, or if the tunnel
  // is answering.
  Status set_endpoints(std::size_t index, std::vector<net::Endpoint> endpoints, bool is_answering);
  // Tries the next address of the peer, where there is one.
  Status use_next_endpoint(std::size_t index);

  // Makes the tunnels what these files say, whose interfaces are those of the present ones.
  // Sessions with peers that stay go on. When it fails, all are as they were. The configuration
  // that start() borrowed is to become `next` behind it.
  Status change(const GatewayConfig& next, std::vector<TunnelFacts> planned);

 private:
  struct Running {
    std::unique_ptr<tunnel::Tunnel> device;
    std::unique_ptr<tunnel::UapiServer> uapi;
    std::jthread uapi_thread;
    std::size_t endpoint = 0;  // The one in use.
    TunnelTraffic seen{};      // Of its present peer.
    TunnelTraffic total{};
  };

  Status start_one(std::size_t index, const tunnel::PathChoice& path);
  Status change_one(std::size_t index, const GatewayTunnel& wanted, TunnelFacts& facts);
  void serve_wg(Running& running);
  Status use_endpoint(std::size_t index);

  const GatewayConfig* config_ = nullptr;
  std::vector<TunnelFacts> facts_;
  std::vector<Running> tunnels_;
};

}  // namespace ginnel::gateway
