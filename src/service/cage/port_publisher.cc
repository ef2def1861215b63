#include "service/cage/port_publisher.h"

#include <fmt/format.h>

namespace ginnel::cage {

Result<std::vector<os::StreamListener>> PortPublisher::listen(
    const std::vector<PublishedPort>& ports) {
  std::vector<os::StreamListener> listeners;
  for (const PublishedPort& port : ports) {
    auto listener = os::StreamListener::listen(port.outside);
    if (!listener) {
      return fail(listener.error().code, fmt::format("--publish: {}", listener.error().message));
    }
    listeners.push_back(std::move(*listener));
  }
  return listeners;
}

// Tokens: the listeners', and then two for each connection.
Status PortPublisher::start(std::vector<os::StreamListener> listeners,
                            const std::vector<PublishedPort>& ports) {
  listeners_ = std::move(listeners);
  ports_ = ports;
  last_number_ = listeners_.size();
  for (std::size_t i = 0; i < listeners_.size(); ++i) {
    Status added = poller_.add(listeners_[i].fd(), first_token_ + i, os::Interest::Read);
    if (!added) return added;
  }
  return ok();
}

void PortPublisher::handle(MonoTime now, const os::Ready& ready) {
  const std::uint64_t token = ready.token - first_token_;
  if (token < listeners_.size()) return accept(now, token);
  const Place place = connections_.find(token / 2);
  if (place == connections_.end()) return;
  if (ready.failed || !carry(place->first, place->second)) connections_.erase(place);
}

void PortPublisher::accept(MonoTime now, std::size_t index) {
  auto accepted = listeners_[index].accept();
  if (!accepted) {
    // No descriptor is left. It would be reported again at once.
    for (const os::StreamListener& listener : listeners_) {
      static_cast<void>(poller_.remove(listener.fd()));
    }
    accept_again_.arm(now + kAcceptPause);
    return;
  }
  if (!*accepted || connections_.size() >= kMaxConnections) return;
  const std::uint64_t number = ++last_number_;
  Connection& connection = connections_[number];
  connection.halves.push_back({.stream = os::UnixStream::adopt(std::move((*accepted)->fd))});
  if (!ask_(number, ports_[index].inside)) connections_.erase(number);
}

void PortPublisher::take_inner(std::uint64_t number, os::Fd inner) {
  const Place place = connections_.find(number);
  if (place == connections_.end() || place->second.halves.size() != 1) return;
  if (inner) place->second.halves.push_back({.stream = os::UnixStream::adopt(std::move(inner))});
  if (place->second.halves.size() != 2 || !carry(number, place->second)) connections_.erase(place);
}

bool PortPublisher::carry(std::uint64_t number, Connection& connection) {
  using Flow = os::UnixStream::Flow;
  for (std::size_t i = 0; i < 2; ++i) {
    Half& from = connection.halves[i];
    Half& to = connection.halves[1 - i];
    if (!from.has_finished) {
      from.has_finished = from.stream.receive(to.to_send, kMaxBuffered) == Flow::Closed;
    }
    std::string_view pending = to.to_send;
    if (to.stream.send(pending) == Flow::Closed) return false;
    to.to_send.erase(0, to.to_send.size() - pending.size());
    if (from.has_finished && to.to_send.empty() && !to.was_told_so) {
      to.was_told_so = true;
      to.stream.end_sending();
    }
  }
  Half& outer = connection.halves[0];
  Half& inner = connection.halves[1];
  if (outer.was_told_so && inner.was_told_so) return false;
  const auto reads = [](const Half& half, const Half& other) {
    return !half.has_finished && other.to_send.size() < kMaxBuffered;
  };
  const std::uint64_t token = first_token_ + 2 * number;
  return poll(token, outer, reads(outer, inner)) && poll(token + 1, inner, reads(inner, outer));
}

bool PortPublisher::poll(std::uint64_t token, Half& half, bool reads) {
  const bool writes = !half.to_send.empty();
  const int fd = half.stream.fd();
  if (!reads && !writes) {
    return !std::exchange(half.is_polled, false) || poller_.remove(fd).has_value();
  }
  const os::Interest interest = !writes ? os::Interest::Read
                                : reads ? os::Interest::ReadAndWrite
                                        : os::Interest::Write;
  if (std::exchange(half.is_polled, true)) return poller_.change(fd, token, interest).has_value();
  return poller_.add(fd, token, interest).has_value();
}

void PortPublisher::handle_timeout(MonoTime now) {
  if (accept_again_.take_if_due(now)) listen_again();
}

void PortPublisher::listen_again() {
  for (std::size_t i = 0; i < listeners_.size(); ++i) {
    static_cast<void>(poller_.add(listeners_[i].fd(), first_token_ + i, os::Interest::Read));
  }
}

}  // namespace ginnel::cage
