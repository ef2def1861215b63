#include "http/server.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <list>
#include <set>

#include "http/connection.h"

namespace ginnel::http {
namespace {

namespace asio = boost::asio;

// Out of file descriptors, most likely: trying again at once would only burn the processor.
constexpr Duration kAcceptRetry = 100ms;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

}  // namespace

struct Server::State {
  class Registration;

  State(Handler server_handler, const ServerOptions& server_options)
      : options(server_options), handler(std::move(server_handler)) {}

  asio::awaitable<void> accept(ListeningSocket& listener);
  asio::awaitable<void> serve(Socket socket);
  asio::awaitable<void> refuse(Socket socket);
  void begin_to_stop();
  void start(asio::awaitable<void> task);

  const ServerOptions options;
  Handler handler;
  std::set<Connection*> connections;
  std::set<Connection*> refused;
  bool running = false;
  bool stopping = false;
  // Below what the coroutines touch while they are destroyed, which is when `io` is.
  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> until_stopped{io.get_executor()};
  asio::steady_timer grace{io};
  std::list<ListeningSocket> listeners;
};

// Nothing here throws but for want of memory, and then one connection ends and not the process.
void Server::State::start(asio::awaitable<void> task) {
  asio::co_spawn(io, std::move(task), [](const std::exception_ptr&) {});
}

asio::awaitable<void> Server::State::accept(ListeningSocket& listener) {
  asio::steady_timer retry(io);
  while (!stopping) {
    auto [error, socket] = co_await listener.acceptor().async_accept(kAwait);
    if (stopping) co_return;
    if (error) {
      retry.expires_after(kAcceptRetry);
      co_await retry.async_wait(kAwait);
    } else if (connections.size() < options.max_connections) {
      start(serve(std::move(socket)));
    } else if (refused.size() < kMaxRefusals) {
      start(refuse(std::move(socket)));
    }
  }
}

// A connection is in its set for as long as the coroutine that serves it lives.
class Server::State::Registration {
 public:
  Registration(State& state, std::set<Connection*>& set, Connection& connection)
      : state_(state), set_(set), connection_(connection) {
    set_.insert(&connection_);
  }
  ~Registration() {
    set_.erase(&connection_);
    if (state_.running && state_.stopping && state_.connections.empty()) state_.io.stop();
  }
  Registration(const Registration&) = delete;
  Registration& operator=(const Registration&) = delete;

 private:
  State& state_;
  std::set<Connection*>& set_;
  Connection& connection_;
};

asio::awaitable<void> Server::State::serve(Socket socket) {
  Connection connection(std::move(socket), options, handler);
  const Registration registration(*this, connections, connection);
  co_await connection.serve();
}

asio::awaitable<void> Server::State::refuse(Socket socket) {
  Connection connection(std::move(socket), options, handler);
  const Registration registration(*this, refused, connection);
  co_await connection.refuse();
}

void Server::State::begin_to_stop() {
  if (stopping) return;
  stopping = true;
  until_stopped.reset();
  for (ListeningSocket& listener : listeners) listener.close();
  for (Connection* connection : connections) connection->stop();
  if (connections.empty()) return io.stop();
  grace.expires_after(kStopGrace);
  grace.async_wait([this](const boost::system::error_code&) { io.stop(); });
}

Server::Server(Handler handler, const ServerOptions& options)
    : state_(std::make_unique<State>(std::move(handler), options)) {}
Server::~Server() = default;

Result<net::Endpoint> Server::listen(const net::Endpoint& endpoint) {
  auto listener = ListeningSocket::on(state_->io, endpoint);
  if (!listener) return pass(std::move(listener));
  state_->listeners.push_back(std::move(*listener));
  return state_->listeners.back().endpoint();
}

Status Server::listen(const UnixListener& unix_listener) {
  auto listener = ListeningSocket::on(state_->io, unix_listener);
  if (!listener) return pass(std::move(listener));
  state_->listeners.push_back(std::move(*listener));
  return ok();
}

void Server::run() {
  for (ListeningSocket& listener : state_->listeners) state_->start(state_->accept(listener));
  state_->running = true;
  state_->io.run();
  state_->running = false;
  // The coroutines end with the Server; their clients need not wait for that.
  for (Connection* connection : state_->connections) connection->close();
  for (Connection* connection : state_->refused) connection->close();
}

void Server::stop() {
  asio::post(state_->io, [state = state_.get()] { state->begin_to_stop(); });
}

}  // namespace ginnel::http
