// One client of a Server: reads requests, one after the other, and answers each. Internal to this
// folder; connection.cc is where Beast parses.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>

#include "http/listening_socket.h"

namespace ginnel::http {

class Connection {
 public:
  // `options` and `handler` outlive the connection.
  Connection(Socket socket, const ServerOptions& options, Handler& handler);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Until the client goes, errs or is too slow, or stop().
  boost::asio::awaitable<void> serve();
  // Answers 503 without reading, and closes.
  boost::asio::awaitable<void> refuse();
  // Ends serve(), after the response that is being sent, if one is.
  void stop();
  // At once, whatever is being done.
  void close();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ginnel::http
