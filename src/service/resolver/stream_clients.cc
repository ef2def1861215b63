#include "service/resolver/stream_clients.h"

#include <algorithm>

namespace ginnel::resolver {

void StreamClients::take(MonoTime now, os::StreamListener::Accepted accepted) {
  const int fd = accepted.fd.get();
  const std::uint64_t token = ++last_token_;
  if (!has_room_for(accepted.from.address) || !poller_.add(fd, token, os::Interest::Read)) {
    counters_.add(dns::Count::DroppedStreams);
    return;
  }
  clients_.emplace(token, Client{.stream = os::UnixStream::adopt(std::move(accepted.fd)),
                                 .from = accepted.from,
                                 .ends = now + kIdleTime});
}

bool StreamClients::has_room_for(const net::Address& source) const {
  const auto is_of_source = [&](const auto& client) {
    return client.second.from.address == source;
  };
  return clients_.size() < kMaxClients && static_cast<std::size_t>(std::ranges::count_if(
                                              clients_, is_of_source)) < kMaxClientsPerSource;
}

std::vector<dns::Bytes> StreamClients::handle(MonoTime now, const os::Ready& ready) {
  std::vector<dns::Bytes> messages;
  const Place place = clients_.find(ready.token);
  if (place == clients_.end()) return messages;
  Client& client = place->second;
  client.ends = now + kIdleTime;
  const bool stays = (!ready.writable || flush(place->first, client)) &&
                     (client.finished || receive(client, messages));
  const bool is_done = client.finished && client.waiting == 0 && client.unread.empty();
  if (!stays || is_done || ready.failed) clients_.erase(place);
  return messages;
}

// False when the client is to go.
bool StreamClients::receive(Client& client, std::vector<dns::Bytes>& messages) {
  for (;;) {
    std::string received;
    const auto flow = client.stream.receive(received, client.framer.room());
    client.framer.append({reinterpret_cast<const std::uint8_t*>(received.data()), received.size()});
    while (auto message = client.framer.next()) {
      if (++client.waiting > kMaxWaiting) return false;
      messages.push_back(std::move(*message));
    }
    if (client.framer.is_hopeless()) return false;
    if (flow == os::UnixStream::Flow::Open) return true;
    if (flow == os::UnixStream::Flow::Full) continue;
    client.finished = true;
    // Its end would be reported in every wait.
    static_cast<void>(poller_.remove(client.stream.fd()));
    client.polls_for_writing = false;
    return client.waiting != 0 || !client.unread.empty();
  }
}

std::optional<net::Endpoint> StreamClients::address_of(std::uint64_t client) const {
  const auto found = clients_.find(client);
  if (found == clients_.end()) return std::nullopt;
  return found->second.from;
}

void StreamClients::reply(MonoTime now, std::uint64_t token, ByteView message) {
  const Place place = clients_.find(token);
  if (place == clients_.end()) return;
  Client& client = place->second;
  client.ends = now + kIdleTime;
  if (client.waiting > 0) --client.waiting;
  dns::append_framed(message, client.unread);
  const bool stays = flush(token, client) && client.unread.size() <= kMaxUnreadBytes;
  const bool is_done = client.finished && client.waiting == 0 && client.unread.empty();
  if (!stays || is_done) clients_.erase(place);
}

bool StreamClients::flush(std::uint64_t token, Client& client) {
  std::string_view pending = client.unread;
  if (client.stream.send(pending) == os::UnixStream::Flow::Closed) return false;
  client.unread.erase(0, client.unread.size() - pending.size());
  const bool wants = !client.unread.empty();
  if (wants == client.polls_for_writing) return true;
  client.polls_for_writing = wants;
  const int fd = client.stream.fd();
  if (client.finished) {
    if (!wants) return poller_.remove(fd).has_value();
    return poller_.add(fd, token, os::Interest::Write).has_value();
  }
  const os::Interest interest = wants ? os::Interest::ReadAndWrite : os::Interest::Read;
  return poller_.change(fd, token, interest).has_value();
}

void StreamClients::handle_timeout(MonoTime now) {
  std::erase_if(clients_, [&](const auto& client) { return now >= client.second.ends; });
}

MonoTime StreamClients::next_timeout() const {
  MonoTime next = kNever;
  for (const auto& [token, client] : clients_) next = std::min(next, client.ends);
  return next;
}

}  // namespace ginnel::resolver
