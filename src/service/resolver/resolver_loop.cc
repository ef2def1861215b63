#include "service/resolver/resolver_loop.h"

#include <algorithm>

namespace ginnel::resolver {

Result<std::unique_ptr<ResolverLoop>> ResolverLoop::create(const ResolverOptions& options) {
  auto poller = os::Poller::create();
  if (!poller) return pass(std::move(poller));
  auto wake = os::EventFd::create();
  if (!wake) return pass(std::move(wake));
  auto loop = std::make_unique<ResolverLoop>(Key{}, options, std::move(*poller), std::move(*wake));
  if (Status added = loop->poller_.add(loop->wake_.fd(), kWake * kKind, os::Interest::Read);
      !added) {
    return pass(std::move(added));
  }
  for (const ListenPlace& place : options.listen) {
    if (Status listens = loop->listen(place); !listens) return pass(std::move(listens));
  }
  return loop;
}

ResolverLoop::ResolverLoop(Key, const ResolverOptions& options, os::Poller poller, os::EventFd wake)
    : poller_(std::move(poller)),
      wake_(std::move(wake)),
      forwarder_(rng_, options.mixes_case),
      clients_(poller_, forwarder_.counters(), kStreamClient * kKind),
      upstreams_(poller_, options.origin, kUpstream * kKind) {
  forwarder_.set_upstreams(clock_.mono(), options.upstreams, outbox_);
}

Status ResolverLoop::listen(const ListenPlace& place) {
  auto stream =
      os::StreamListener::listen(place.at, {.interface = place.interface, .before_address = true});
  if (!stream) return pass(std::move(stream));
  auto datagram = os::UdpSocket::bind({.address = place.at.address,
                                       .port = stream->port(),
                                       .interface = place.interface,
                                       .before_address = true,
                                       .gso = false,
                                       .gro = false});
  if (!datagram) return pass(std::move(datagram));
  const std::uint64_t index = streams_.size();
  if (Status added = poller_.add((*datagram)->fd(), kDatagrams * kKind + index, os::Interest::Read);
      !added) {
    return added;
  }
  if (Status added = poller_.add(stream->fd(), kStreams * kKind + index, os::Interest::Read);
      !added) {
    return added;
  }
  datagrams_.push_back(std::move(*datagram));
  streams_.push_back(std::move(*stream));
  return ok();
}

void ResolverLoop::set_upstreams(std::vector<net::Endpoint> upstreams) {
  {
    const MutexLock lock(mutex_);
    new_upstreams_ = std::move(upstreams);
  }
  wake();
}

void ResolverLoop::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const auto all_ready = poller_.wait_until(next_timeout());
    const MonoTime now = clock_.mono();
    for (const os::Ready& ready : all_ready) handle(now, ready);
    forwarder_.handle_timeout(now, outbox_);
    carry_out(now);
    clients_.handle_timeout(now);
    if (!accept_again_.take_if_due(now)) continue;
    for (std::size_t i = 0; i < streams_.size(); ++i) {
      static_cast<void>(poller_.add(streams_[i].fd(), kStreams * kKind + i, os::Interest::Read));
    }
  }
}

MonoTime ResolverLoop::next_timeout() const {
  return std::min({forwarder_.next_timeout(), clients_.next_timeout(), accept_again_.at()});
}

void ResolverLoop::handle(MonoTime now, const os::Ready& ready) {
  const std::size_t index = ready.token % kKind;
  switch (static_cast<Kind>(ready.token / kKind)) {
    case kWake:
      take_upstreams(now);
      break;
    case kDatagrams:
      receive_datagrams(now, index);
      break;
    case kStreams:
      accept_streams(now, index);
      break;
    case kStreamClient:
      receive_queries(now, ready);
      break;
    case kUpstream:
      receive_answers(now, ready);
      break;
  }
  carry_out(now);
}

void ResolverLoop::take_upstreams(MonoTime now) {
  wake_.take();
  std::optional<std::vector<net::Endpoint>> upstreams;
  {
    const MutexLock lock(mutex_);
    upstreams.swap(new_upstreams_);
  }
  if (upstreams) forwarder_.set_upstreams(now, *upstreams, outbox_);
}

void ResolverLoop::receive_datagrams(MonoTime now, std::size_t index) {
  if (datagrams_[index]->receive(received_) == 0) return;
  for (const net::Datagram& datagram : received_.datagrams()) {
    forwarder_.handle_query(now, {.path = *datagram.path, .channel = index}, datagram.bytes,
                            outbox_);
  }
}

void ResolverLoop::accept_streams(MonoTime now, std::size_t index) {
  for (std::size_t i = 0; i < kMaxBatch; ++i) {
    auto accepted = streams_[index].accept();
    if (!accepted) {
      // No descriptor is left for it. It would be reported again at once, so nobody is listened to
      // for a while.
      for (const os::StreamListener& stream : streams_) {
        static_cast<void>(poller_.remove(stream.fd()));
      }
      accept_again_.arm(now + StreamClients::kAcceptPause);
      return;
    }
    if (!*accepted) return;
    clients_.take(now, std::move(**accepted));
  }
}

void ResolverLoop::receive_queries(MonoTime now, const os::Ready& ready) {
  const auto from = clients_.address_of(ready.token);
  if (!from) return;
  for (const dns::Bytes& message : clients_.handle(now, ready)) {
    forwarder_.handle_query(now,
                            {.path = {.remote = *from}, .channel = ready.token, .by_stream = true},
                            message, outbox_);
  }
}

// What belongs to a question that is answered meanwhile has no socket left to come from.
void ResolverLoop::receive_answers(MonoTime now, const os::Ready& ready) {
  for (std::size_t i = 0; i < kMaxBatch; ++i) {
    const UpstreamSockets::Received received = upstreams_.receive(ready);
    if (received.state == UpstreamSockets::State::Nothing) return;
    if (received.state == UpstreamSockets::State::Failed) {
      forwarder_.handle_failure(now, received.id, outbox_);
    } else {
      forwarder_.handle_answer(now, received.id, received.bytes, outbox_);
    }
    carry_out(now);
  }
}

// An attempt that cannot be sent makes another or a reply, so it goes on until nothing is left.
void ResolverLoop::carry_out(MonoTime now) {
  do {
    for (const dns::AttemptId id : std::exchange(outbox_.ended, {})) upstreams_.end(id);
    for (const dns::Attempt& attempt : std::exchange(outbox_.attempts, {})) {
      if (!upstreams_.begin(attempt)) forwarder_.handle_failure(now, attempt.id, outbox_);
    }
  } while (!outbox_.ended.empty() || !outbox_.attempts.empty());
  send_replies(now);
}

void ResolverLoop::send_replies(MonoTime now) {
  for (dns::Reply& reply : std::exchange(outbox_.replies, {})) {
    if (reply.to.by_stream) {
      clients_.reply(now, reply.to.channel, reply.bytes);
      continue;
    }
    const net::Datagram datagram{.bytes = reply.bytes, .path = &reply.to.path};
    datagrams_[reply.to.channel]->send({&datagram, 1});
  }
}

}  // namespace ginnel::resolver
