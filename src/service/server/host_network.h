// What a server changes on its host, behind one seam: the kernel in kernel_network.h, a twin in
// tests.
#pragma once

#include <vector>

#include "core/hostnet/host_state.h"
#include "core/hostnet/server_network.h"
#include "service/server/metrics.h"
#include "service/server/views.h"

namespace ginnel::server {

struct HostWishes {
  hostnet::ServerNetwork network;
  bool open_firewall = false;  // Else foreign firewalls are only reported.
  bool answers_names = false;  // A resolver on the network's addresses, for those in the tunnel.
};

class HostNetwork {
 public:
  virtual ~HostNetwork() = default;

  virtual Result<hostnet::HostState> read() = 0;
  // Brings the host from what was applied before to `wanted`. When it fails, what it changed is
  // undone.
  virtual Status apply(const HostWishes& wanted) = 0;
  // Takes everything back that apply() did. What cannot be taken back is logged.
  virtual void undo() = 0;
  // Where the host's own firewalls drop what clients send, with the command that cures it, and
  // which of them cannot be seen.
  virtual std::vector<Finding> find_obstacles(const HostWishes& wanted) = 0;
  // What the resolver did, by kind, since the beginning.
  virtual LabelledCounts name_counts() const { return {}; }
};

}  // namespace ginnel::server
