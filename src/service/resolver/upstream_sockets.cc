#include "service/resolver/upstream_sockets.h"

namespace ginnel::resolver {

bool UpstreamSockets::begin(const dns::Attempt& attempt) {
  const std::uint64_t token = first_token_ + std::to_underlying(attempt.id);
  if (!attempt.by_stream) {
    auto fd = os::connect_datagrams(attempt.upstream, origin_);
    if (!fd || !os::send_datagram(fd->get(), attempt.bytes) ||
        !poller_.add(fd->get(), token, os::Interest::Read)) {
      return false;
    }
    open_.emplace(attempt.id, std::move(*fd));
    return true;
  }
  auto fd = os::begin_stream(attempt.upstream, origin_);
  if (!fd || !poller_.add(fd->get(), token, os::Interest::ReadAndWrite)) return false;
  Stream stream{.stream = os::UnixStream::adopt(std::move(*fd)), .unsent = {}};
  dns::append_framed(attempt.bytes, stream.unsent);
  open_.emplace(attempt.id, std::move(stream));
  return true;
}

UpstreamSockets::Received UpstreamSockets::receive(const os::Ready& ready) {
  const dns::AttemptId id{ready.token - first_token_};
  const auto found = open_.find(id);
  if (found == open_.end()) return {};
  if (auto* stream = std::get_if<Stream>(&found->second)) {
    return receive_stream(id, *stream, ready.writable, ready.token);
  }
  // One more than may be, so that what is too long shows.
  std::array<std::uint8_t, dns::kMaxDatagramBytes + 1> room;
  const auto received = os::receive_datagram(std::get<os::Fd>(found->second).get(), room);
  if (!received) return {.state = State::Failed, .id = id};
  if (!*received) return {};
  return {.state = State::Answer, .id = id, .bytes = {(*received)->begin(), (*received)->end()}};
}

UpstreamSockets::Received UpstreamSockets::receive_stream(dns::AttemptId id, Stream& stream,
                                                          bool writable, std::uint64_t token) {
  using Flow = os::UnixStream::Flow;
  if (writable && !stream.unsent.empty()) {
    std::string_view pending = stream.unsent;
    if (stream.stream.send(pending) == Flow::Closed) return {.state = State::Failed, .id = id};
    stream.unsent.erase(0, stream.unsent.size() - pending.size());
    if (stream.unsent.empty()) {
      static_cast<void>(poller_.change(stream.stream.fd(), token, os::Interest::Read));
    }
  }
  std::string bytes;
  const Flow flow = stream.stream.receive(bytes, stream.framer.room());
  stream.framer.append({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
  if (auto message = stream.framer.next()) {
    return {.state = State::Answer, .id = id, .bytes = std::move(*message)};
  }
  if (flow == Flow::Open && !stream.framer.is_hopeless()) return {};
  return {.state = State::Failed, .id = id};
}

}  // namespace ginnel::resolver
