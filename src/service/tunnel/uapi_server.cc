#include "service/tunnel/uapi_server.h"

#include <fmt/format.h>

#include <thread>

#include "base/log.h"
#include "base/secret.h"
#include "core/config/uapi_response.h"
#include "os/interface_index.h"

namespace ginnel::tunnel {
namespace {

// What one connection may send or get in a turn, before the others have theirs.
constexpr std::size_t kChunkBytes = 64 * 1024;
constexpr Duration kLeaveInterval = 10ms;

void erase_text(std::string& text) {
  erase({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
  text.clear();
}

// Our interface stands, so that of whoever answers there may have been deleted just before: then it
// leaves by itself, as when a tunnel is taken down and brought up again.
Result<os::UnixListener> listen_at(const std::string& path) {
  const os::Clock clock;
  const MonoTime limit = clock.mono() + UapiServer::kLeaveLimit;
  for (;;) {
    auto listener = os::UnixListener::listen({.path = path});
    const bool is_taken = !listener && listener.error().code == ErrorCode::AlreadyExists;
    if (!is_taken || clock.mono() >= limit) return listener;
    std::this_thread::sleep_for(kLeaveInterval);
  }
}

}  // namespace

struct UapiServer::Connection {
  Connection(os::UnixStream accepted, std::uint64_t own_token, MonoTime now)
      : stream(std::move(accepted)), token(own_token), last_active(now) {}
  ~Connection() {
    erase_text(input);
    erase_text(output);
  }

  os::UnixStream stream;
  std::uint64_t token;
  MonoTime last_active;
  config::UapiRequestParser parser{&os::interface_index};
  // Both hold keys at times.
  std::string input;
  std::string output;
  std::size_t taken = 0;  // Of the input.
  std::size_t written = 0;
  bool watched_for_write = false;
  bool closing = false;
};

Result<std::unique_ptr<UapiServer>> UapiServer::create(WgDevice& device, UapiOptions options) {
  std::string path = fmt::format("{}/{}.sock", options.directory, device.interface_name());
  auto listener = listen_at(path);
  if (!listener) return pass(std::move(listener));
  auto poller = os::Poller::create();
  if (!poller) return pass(std::move(poller));
  auto wake = os::EventFd::create();
  if (!wake) return pass(std::move(wake));
  auto ended = os::EventFd::create();
  if (!ended) return pass(std::move(ended));
  const std::pair<int, Token> watched[] = {
      {wake->fd(), kWake}, {listener->fd(), kListener}, {listener->watch_fd(), kRemoval}};
  for (const auto& [fd, token] : watched) {
    if (fd < 0) continue;  // The kernel had no watch to give.
    if (Status added = poller->add(fd, token, os::Interest::Read); !added) {
      return pass(std::move(added));
    }
  }
  return std::make_unique<UapiServer>(Key{}, device, std::move(options), std::move(path),
                                      std::move(*listener), std::move(*poller), std::move(*wake),
                                      std::move(*ended));
}

UapiServer::UapiServer(Key, WgDevice& device, UapiOptions options, std::string path,
                       os::UnixListener listener, os::Poller poller, os::EventFd wake,
                       os::EventFd ended)
    : device_(device),
      options_(std::move(options)),
      path_(std::move(path)),
      listener_(std::move(listener)),
      poller_(std::move(poller)),
      wake_(std::move(wake)),
      ended_(std::move(ended)) {}

UapiServer::~UapiServer() = default;

void UapiServer::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    for (const os::Ready& one : poller_.wait_until(next_look())) {
      if (one.token == kWake) wake_.take();
      if (one.token == kListener) accept();
      const auto found = std::find_if(connections_.begin(), connections_.end(),
                                      [&](const auto& c) { return c.token == one.token; });
      if (found != connections_.end() && !serve(*found)) connections_.erase(found);
    }
    if (listener_.is_removed()) {
      ended_.raise();
      return;
    }
    const MonoTime now = clock_.mono();
    watch_listener(now);
    std::erase_if(connections_,
                  [&](const auto& c) { return now - c.last_active >= options_.idle_limit; });
  }
}

// When to look without being told of anything.
MonoTime UapiServer::next_look() const {
  MonoTime next = listener_.watch_fd() < 0 ? clock_.mono() + kRemovalInterval : kNever;
  next = std::min(next, accept_again_.at());
  for (const Connection& c : connections_) {
    next = std::min(next, c.last_active + options_.idle_limit);
  }
  return next;
}

void UapiServer::accept() {
  for (;;) {
    auto stream = listener_.accept();
    if (!stream) {
      // Most likely there is no descriptor left. The client stays in the queue, which would make
      // every wait end at once.
      static_cast<void>(poller_.remove(listener_.fd()));
      return accept_again_.arm(clock_.mono() + kAcceptPause);
    }
    if (!*stream) return;
    if (connections_.size() >= kMaxConnections) continue;  // Closed at once.
    Connection& added =
        connections_.emplace_back(std::move(**stream), next_token_++, clock_.mono());
    if (!poller_.add(added.stream.fd(), added.token, os::Interest::Read)) connections_.pop_back();
  }
}

void UapiServer::watch_listener(MonoTime now) {
  if (!accept_again_.take_if_due(now)) return;
  if (!poller_.add(listener_.fd(), kListener, os::Interest::Read)) {
    accept_again_.arm(now + kAcceptPause);
  }
}

// Reads, answers and writes what can be without waiting. False when the connection is done with.
bool UapiServer::serve(Connection& connection) {
  connection.last_active = clock_.mono();
  if (!answer_what_came(connection)) return false;
  if (!connection.output.empty()) return true;  // What it asked before has to go out first.

  const os::UnixStream::Flow flow = connection.stream.receive(connection.input, kChunkBytes);
  if (!answer_what_came(connection)) return false;
  return flow != os::UnixStream::Flow::Closed || !connection.output.empty();
}

// Answers one request at a time, the next when the answer before it has gone: many small requests
// in one piece would otherwise make many large answers in memory.
bool UapiServer::answer_what_came(Connection& connection) {
  for (;;) {
    if (!connection.output.empty() && !write_out(connection)) return false;
    if (!connection.output.empty()) return true;
    const std::string_view bytes = std::string_view(connection.input).substr(connection.taken);
    if (bytes.empty()) break;
    connection.taken += connection.parser.feed(bytes);
    if (auto request = connection.parser.take()) answer(connection, std::move(*request));
  }
  erase_text(connection.input);
  connection.taken = 0;
  return true;
}

void UapiServer::answer(Connection& connection, config::UapiRequest request) {
  connection.closing = connection.closing || request.must_close;
  config::UapiErrno error = request.error;
  if (error == config::UapiErrno::Ok && request.verb == config::UapiVerb::Get) {
    const auto status = device_.observe();
    if (status) {
      config::append_uapi_device(connection.output, *status);
      for (const wg::PeerStatus& peer : status->peers) {
        config::append_uapi_peer(connection.output, peer);
      }
    } else {
      error = config::uapi_errno_of(status.error().code);
    }
  } else if (error == config::UapiErrno::Ok) {
    error = configure(std::move(request.change));
  }
  config::append_uapi_end(connection.output, request.verb, error);
}

config::UapiErrno UapiServer::configure(wg::DeviceChange change) {
  if (!options_.read_only_hint.empty()) {
    log::warn("{}: refused a change by `wg`; use \"{}\"", device_.interface_name(),
              options_.read_only_hint);
    return config::UapiErrno::NotPermitted;
  }
  const Status done = device_.configure(std::move(change));
  if (done) return config::UapiErrno::Ok;
  log::warn("{}: refused a change by `wg`: {}", device_.interface_name(), done.error().message);
  return config::uapi_errno_of(done.error().code);
}

// False when the connection is done with.
bool UapiServer::write_out(Connection& connection) {
  std::string_view pending = std::string_view(connection.output).substr(connection.written);
  if (connection.stream.send(pending) == os::UnixStream::Flow::Closed) return false;
  connection.written = connection.output.size() - pending.size();
  if (!pending.empty()) return watch(connection, true);
  erase_text(connection.output);
  connection.written = 0;
  return !connection.closing && watch(connection, false);
}

bool UapiServer::watch(Connection& connection, bool to_write) {
  if (std::exchange(connection.watched_for_write, to_write) == to_write) return true;
  const os::Interest interest = to_write ? os::Interest::Write : os::Interest::Read;
  return poller_.change(connection.stream.fd(), connection.token, interest).has_value();
}

}  // namespace ginnel::tunnel
