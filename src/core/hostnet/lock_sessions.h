// Sessions of management that are live when the lock comes. The filter knows a reply by the
// connection that it belongs to, and forgets connections when it is loaded: who waits for the
// server's next word would hear nothing until it says something itself. So they are remembered
// first. Pure.
#pragma once

#include <vector>

#include "core/hostnet/lock_policy.h"

namespace ginnel::hostnet {

// A TCP socket of this host.
struct TcpSocket {
  net::Endpoint local{};
  net::Endpoint remote{};
  bool listens = false;
  friend bool operator==(const TcpSocket&, const TcpSocket&) = default;
};

// A connection that was opened from `remote`, and the mark that it is to have.
struct LiveSession {
  net::Endpoint remote{};
  net::Endpoint local{};
  MarkBits mark{};
  friend bool operator==(const LiveSession&, const LiveSession&) = default;
};

inline constexpr std::size_t kMaxLiveSessions = 256;  // More stay silent until they are spoken to.

// Those from policy.manage: somebody listens on their port, so that they came in. They are taken to
// come by the interface that leads there.
std::vector<LiveSession> management_sessions(const LockPolicy& policy, const HostState& host,
                                             const std::vector<TcpSocket>& sockets);

}  // namespace ginnel::hostnet
