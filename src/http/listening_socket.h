// Sockets that wait for clients, of both kinds, and the life of a unix socket's file. Internal to
// this folder, like everything that shows Asio.
#pragma once

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>

#include "http/server.h"

namespace ginnel::http {

using Socket = boost::asio::generic::stream_protocol::socket;
using Acceptor = boost::asio::basic_socket_acceptor<boost::asio::generic::stream_protocol>;

boost::asio::generic::stream_protocol::endpoint to_asio(const net::Endpoint& endpoint);
std::optional<net::Endpoint> from_asio(const boost::asio::generic::stream_protocol::endpoint& name);

// Whether a unix socket can have this path at all.
Status check_socket_path(const std::string& path);

class ListeningSocket {
 public:
  static Result<ListeningSocket> on(boost::asio::io_context& io, const net::Endpoint& endpoint);
  static Result<ListeningSocket> on(boost::asio::io_context& io, const UnixListener& listener);

  ListeningSocket(ListeningSocket&&) = default;
  ~ListeningSocket() { close(); }

  Acceptor& acceptor() { return acceptor_; }
  Result<net::Endpoint> endpoint() const;
  // Idempotent.
  void close();

 private:
  ListeningSocket(Acceptor acceptor, std::filesystem::path file)
      : acceptor_(std::move(acceptor)), file_(std::move(file)) {}

  Acceptor acceptor_;
  std::filesystem::path file_;  // Empty: TCP, or closed.
};

// Who is at the other end of a connected unix socket. Absent for TCP and where the kernel cannot
// say.
std::optional<Credentials> credentials_of(Socket& socket);

}  // namespace ginnel::http
