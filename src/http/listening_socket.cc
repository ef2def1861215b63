#include "http/listening_socket.h"

#include <fmt/format.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/local/stream_protocol.hpp>

namespace ginnel::http {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using boost::system::error_code;
using Protocol = asio::generic::stream_protocol;

// A socket option of fixed size that Asio has no name for.
template <int kLevel, int kName, class T>
struct ReadOnlyOption {
  T value{};

  template <class P>
  int level(const P&) const {
    return kLevel;
  }
  template <class P>
  int name(const P&) const {
    return kName;
  }
  template <class P>
  void* data(const P&) {
    return &value;
  }
  template <class P>
  std::size_t size(const P&) const {
    return sizeof value;
  }
  template <class P>
  void resize(const P&, std::size_t) {}
};

std::unexpected<Error> refusal(const std::string& where, const error_code& error) {
  if (error == asio::error::address_in_use) {
    return fail(ErrorCode::AlreadyExists,
                fmt::format("{}: another program listens there; stop it or choose another", where));
  }
  if (error == asio::error::access_denied) {
    return fail(
        ErrorCode::PermissionDenied,
        fmt::format("{}: not permitted to listen there; run as root, or choose another", where));
  }
  if (error == boost::system::errc::no_such_file_or_directory) {
    return fail(ErrorCode::NotFound,
                fmt::format("{}: its directory does not exist; make it, or choose another", where));
  }
  if (error == boost::system::errc::address_not_available) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("{}: no interface has this address; choose one of this host", where));
  }
  if (error == boost::system::errc::read_only_file_system) {
    return fail(ErrorCode::Io,
                fmt::format("{}: its directory is mounted read-only; choose another", where));
  }
  return fail(ErrorCode::Io, fmt::format("{}: cannot listen there: {}", where, error.message()));
}

void bind(Acceptor& acceptor, const Protocol::endpoint& name, error_code& error) {
  acceptor.open(name.protocol(), error);
  if (!error && name.protocol().family() != AF_UNIX) {
    acceptor.set_option(asio::socket_base::reuse_address(true), error);
  }
  if (!error && name.protocol().family() == AF_INET6) {
    acceptor.set_option(asio::ip::v6_only(true), error);
  }
  if (!error) acceptor.bind(name, error);
}

// Whether anybody listens on a socket file: success, connection_refused for nobody, or what keeps
// us from knowing.
error_code probe(const fs::path& path) {
  asio::io_context io;
  asio::local::stream_protocol::socket socket(io);
  error_code error;
  socket.open({}, error);
  // With a full backlog a blocking connect would wait, and a nonblocking one says try_again.
  if (!error) socket.non_blocking(true, error);
  if (!error) socket.connect(path.native(), error);
  return error == asio::error::try_again ? error_code() : error;
}

Status clear_the_way(const fs::path& path) {
  std::error_code ignored;
  const fs::file_status found = fs::symlink_status(path, ignored);
  if (found.type() == fs::file_type::not_found) return ok();
  if (found.type() != fs::file_type::socket) {
    return fail(ErrorCode::AlreadyExists,
                fmt::format("{}: is there and is not a socket; remove it or choose another path",
                            path.native()));
  }
  const error_code answer = probe(path);
  if (!answer) return refusal(path.native(), asio::error::address_in_use);
  if (answer != asio::error::connection_refused) return refusal(path.native(), answer);
  fs::remove(path, ignored);  // If it stays, bind() says why.
  return ok();
}

}  // namespace

Protocol::endpoint to_asio(const net::Endpoint& endpoint) {
  const ByteView bytes = endpoint.address.bytes();
  if (endpoint.address.is_v4()) {
    asio::ip::address_v4::bytes_type v4;
    std::ranges::copy(bytes, v4.begin());
    return asio::ip::tcp::endpoint(asio::ip::address_v4(v4), endpoint.port);
  }
  asio::ip::address_v6::bytes_type v6;
  std::ranges::copy(bytes, v6.begin());
  return asio::ip::tcp::endpoint(asio::ip::address_v6(v6, endpoint.scope), endpoint.port);
}

std::optional<net::Endpoint> from_asio(const Protocol::endpoint& name) {
  const int family = name.protocol().family();
  asio::ip::tcp::endpoint ip;
  if ((family != AF_INET && family != AF_INET6) || name.size() > ip.capacity()) return std::nullopt;
  std::memcpy(ip.data(), name.data(), name.size());
  net::Endpoint endpoint;
  endpoint.port = ip.port();
  if (ip.address().is_v4()) {
    endpoint.address = net::Address::v4(ip.address().to_v4().to_bytes());
  } else {
    endpoint.address = net::Address::v6(ip.address().to_v6().to_bytes());
    endpoint.scope = static_cast<std::uint32_t>(ip.address().to_v6().scope_id());
  }
  return endpoint;
}

Status check_socket_path(const std::string& path) {
  if (!path.empty() && path.size() <= UnixListener::kMaxPathBytes &&
      path.find('\0') == std::string::npos) {
    return ok();
  }
  return fail(ErrorCode::InvalidArgument,
              fmt::format("\"{}\": a socket's path has 1 to {} bytes; choose another", path,
                          UnixListener::kMaxPathBytes));
}

Result<ListeningSocket> ListeningSocket::on(asio::io_context& io, const net::Endpoint& endpoint) {
  Acceptor acceptor(io);
  error_code error;
  bind(acceptor, to_asio(endpoint), error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return refusal(endpoint.to_string(), error);
  return ListeningSocket(std::move(acceptor), {});
}

Result<ListeningSocket> ListeningSocket::on(asio::io_context& io, const UnixListener& listener) {
  const std::string& path = listener.path.native();
  if (Status valid = check_socket_path(path); !valid) return pass(std::move(valid));
  if (Status cleared = clear_the_way(listener.path); !cleared) return pass(std::move(cleared));
  Acceptor acceptor(io);
  error_code error;
  bind(acceptor, asio::local::stream_protocol::endpoint(path), error);
  if (error) return refusal(path, error);
  ListeningSocket socket(std::move(acceptor), listener.path);
  // Nobody can connect before listen(), so the mode that bind() gave the file opens no door.
  std::error_code mode_error;
  fs::permissions(listener.path, fs::perms(listener.mode), mode_error);
  if (mode_error) {
    return fail(ErrorCode::Io,
                fmt::format("{}: cannot set its mode: {}", path, mode_error.message()));
  }
  socket.acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (error) return refusal(path, error);
  return socket;
}

Result<net::Endpoint> ListeningSocket::endpoint() const {
  error_code error;
  const auto name = acceptor_.local_endpoint(error);
  const auto endpoint = from_asio(name);
  if (error || !endpoint) return fail(ErrorCode::Io, "a listening socket has no address");
  return *endpoint;
}

void ListeningSocket::close() {
  if (!acceptor_.is_open()) return;
  error_code ignored;
  acceptor_.close(ignored);
  if (file_.empty()) return;
  // Whoever answers there now has replaced the file, and it is theirs.
  std::error_code not_removed;
  if (probe(file_) == asio::error::connection_refused) fs::remove(file_, not_removed);
  file_.clear();
}

std::optional<Credentials> credentials_of(Socket& socket) {
#if defined(SO_PEERCRED)
  ReadOnlyOption<SOL_SOCKET, SO_PEERCRED, ucred> option;
  error_code error;
  socket.get_option(option, error);
  // TCP sockets answer too, with nobody.
  constexpr auto kNobody = ~std::uint32_t{0};
  if (!error && option.value.uid != kNobody) {
    return Credentials{option.value.uid, option.value.gid, option.value.pid};
  }
#else
  static_cast<void>(socket);
#endif
  return std::nullopt;
}

}  // namespace ginnel::http
