// A host in memory: what it looks like, and what a server did to it.
#pragma once

#include <functional>

#include "service/server/host_network.h"

namespace ginnel::server {

class HostTwin final : public HostNetwork {
 public:
  HostTwin() {
    state.links = {{.index = 2, .name = "eth0", .mtu = 1500, .up = true, .running = true}};
    state.addresses = {
        {.interface = "eth0", .address = net::InterfaceAddress::parse("198.51.100.7/24").value()}};
    state.routes = {{.destination = net::Prefix::parse("0.0.0.0/0").value(),
                     .gateway = net::Address::parse("198.51.100.1").value(),
                     .interface = "eth0"}};
  }

  Result<hostnet::HostState> read() override { return state; }
  Status apply(const HostWishes& wishes) override {
    if (refuse_next) {
      refuse_next = false;
      return fail(ErrorCode::PermissionDenied, "nftables: not permitted");
    }
    ++changes;
    applied = wishes;
    if (on_apply) on_apply();
    return ok();
  }
  void undo() override { applied.reset(); }
  std::vector<Finding> find_obstacles(const HostWishes&) override { return obstacles; }

  hostnet::HostState state;
  std::optional<HostWishes> applied;
  std::vector<Finding> obstacles;
  std::function<void()> on_apply;
  int changes = 0;
  bool refuse_next = false;
};

}  // namespace ginnel::server
