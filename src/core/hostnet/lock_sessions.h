// Connections that are live when the lock comes or changes. The filter knows a reply by the
// connection that it belongs to, and who waits for the other end's next word would hear nothing
// were it forgotten. Pure.
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

// Of those from policy.manage, which are remembered before a lock forgets all others: somebody
// listens on their port, so that they came in. They are taken to come by the interface that leads
// there.
std::vector<LiveSession> management_sessions(const LockPolicy& policy, const HostState& host,
                                             const std::vector<TcpSocket>& sockets);

// Whether connections that `former` let through rest on nothing that `now` lacks: the way through
// the tunnel, whose address they are translated to, and every network that was reached directly.
// Otherwise they are to be forgotten, so that all that goes on is judged anew.
bool connections_live_on(const LockPolicy& former, const LockPolicy& now);

}  // namespace ginnel::hostnet
