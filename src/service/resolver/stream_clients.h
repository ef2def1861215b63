// Clients that ask over TCP: their connections, what they sent and what they did not read yet.
#pragma once

#include <map>

#include "core/dns/counters.h"
#include "core/dns/stream_framer.h"
#include "os/connected_socket.h"
#include "os/poller.h"
#include "os/unix_socket.h"

namespace ginnel::resolver {

class StreamClients {
 public:
  static constexpr std::size_t kMaxClients = 128;
  static constexpr std::size_t kMaxClientsPerSource = 16;
  // Questions of one connection that wait for an answer, and bytes of answers that wait to be read.
  static constexpr std::size_t kMaxWaiting = 100;
  static constexpr std::size_t kMaxUnreadBytes = 4 * dns::kMaxMessageBytes;
  static constexpr Duration kIdleTime = 10s;
  // How long clients wait when this process has no descriptor left for them.
  static constexpr Duration kAcceptPause = 100ms;

  // `first_token` and above are its own in the poller.
  StreamClients(os::Poller& poller, dns::Counters& counters, std::uint64_t first_token)
      : poller_(poller), counters_(counters), last_token_(first_token) {}

  void take(MonoTime now, os::StreamListener::Accepted accepted);
  // The messages that `client` has sent. Those who break a rule are gone afterwards.
  std::vector<dns::Bytes> handle(MonoTime now, const os::Ready& ready);
  std::optional<net::Endpoint> address_of(std::uint64_t client) const;
  // A reply for a client that is gone is dropped.
  void reply(MonoTime now, std::uint64_t client, ByteView message);

  void handle_timeout(MonoTime now);
  MonoTime next_timeout() const;
  std::size_t size() const { return clients_.size(); }

 private:
  struct Client {
    os::UnixStream stream;
    net::Endpoint from;
    dns::StreamFramer framer{dns::kMaxQueryBytes};
    std::string unread{};
    std::size_t waiting = 0;
    bool finished = false;  // Sends nothing more, but may still read.
    bool polls_for_writing = false;
    MonoTime ends{};
  };
  using Place = std::map<std::uint64_t, Client>::iterator;

  bool has_room_for(const net::Address& source) const;
  bool receive(Client& client, std::vector<dns::Bytes>& messages);
  bool flush(std::uint64_t token, Client& client);

  os::Poller& poller_;
  dns::Counters& counters_;
  std::uint64_t last_token_;
  std::map<std::uint64_t, Client> clients_;
};

}  // namespace ginnel::resolver
