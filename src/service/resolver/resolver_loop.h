// The thread of a resolver: its sockets around a dns::Forwarder, which decides everything.
#pragma once

#include <stop_token>

#include "base/mutex.h"
#include "core/dns/forwarder.h"
#include "os/clock.h"
#include "os/event_fd.h"
#include "os/system_rng.h"
#include "os/udp_socket.h"
#include "service/resolver/resolver.h"
#include "service/resolver/stream_clients.h"
#include "service/resolver/upstream_sockets.h"

namespace ginnel::resolver {

class ResolverLoop {
  struct Key {};  // Only create() makes one.

 public:
  // Datagrams of one socket that are looked at before the others have their turn.
  static constexpr std::size_t kMaxBatch = 8;

  static Result<std::unique_ptr<ResolverLoop>> create(const ResolverOptions& options);
  ResolverLoop(Key, const ResolverOptions& options, os::Poller poller, os::EventFd wake);

  // Returns when asked to stop, which takes a wake().
  void run(const std::stop_token& stop);

  // Any thread.
  void wake() const { wake_.raise(); }
  void set_upstreams(std::vector<net::Endpoint> upstreams);
  const dns::Counters& counters() const { return forwarder_.counters(); }

 private:
  // What a token's upper bits say; the rest is a number of that kind.
  static constexpr std::uint64_t kKind = std::uint64_t{1} << 60;
  enum Kind : std::uint64_t { kWake, kDatagrams, kStreams, kStreamClient, kUpstream };

  Status listen(const ListenPlace& place);
  MonoTime next_timeout() const;
  void handle(MonoTime now, const os::Ready& ready);
  void take_upstreams(MonoTime now);
  void receive_datagrams(MonoTime now, std::size_t index);
  void accept_streams(MonoTime now, std::size_t index);
  void receive_queries(MonoTime now, const os::Ready& ready);
  void receive_answers(MonoTime now, const os::Ready& ready);
  void carry_out(MonoTime now);
  void send_replies(MonoTime now);

  os::Poller poller_;
  os::EventFd wake_;
  os::Clock clock_;
  os::SystemRng rng_;
  Mutex mutex_;
  std::optional<std::vector<net::Endpoint>> new_upstreams_ GUARDED_BY(mutex_);

  dns::Forwarder forwarder_;
  dns::ForwarderOutbox outbox_;
  std::vector<std::unique_ptr<os::UdpSocket>> datagrams_;
  std::vector<os::StreamListener> streams_;
  Deadline accept_again_;
  StreamClients clients_;
  UpstreamSockets upstreams_;
  os::ReceiveBatch received_{kMaxBatch};
};

}  // namespace ginnel::resolver
