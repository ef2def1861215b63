#include "http/client.h"

#include <fmt/format.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include "http/listening_socket.h"

namespace ginnel::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace wire = boost::beast::http;
using boost::system::error_code;

using Stream = beast::basic_stream<asio::generic::stream_protocol>;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

struct Exchange {
  Exchange(asio::io_context& io, const ClientOptions& client_options)
      : options(client_options), stream(io), buffer(ClientOptions::kMaxHeaderBytes) {}

  asio::awaitable<void> run(asio::generic::stream_protocol::endpoint server,
                            wire::request<wire::string_body> message);
  asio::awaitable<void> read(bool is_head);

  const ClientOptions& options;
  Stream stream;
  beast::flat_buffer buffer;
  error_code error;
  Response response;
};

std::string_view view(boost::beast::string_view text) { return {text.data(), text.size()}; }

std::string name_of(const ServerAddress& server) {
  if (const auto* endpoint = std::get_if<net::Endpoint>(&server)) return endpoint->to_string();
  return std::get<std::filesystem::path>(server).native();
}

asio::awaitable<void> Exchange::run(asio::generic::stream_protocol::endpoint server,
                                    wire::request<wire::string_body> message) {
  stream.expires_after(options.timeout);
  auto [connected] = co_await stream.async_connect(server, kAwait);
  error = connected;
  if (error) co_return;
  auto [sent, bytes] = co_await wire::async_write(stream, message, kAwait);
  // A server that refuses early may close before it has read everything; its answer counts.
  if (sent == beast::error::timeout) {
    error = sent;
    co_return;
  }
  co_await read(message.method() == wire::verb::head);
}

asio::awaitable<void> Exchange::read(bool is_head) {
  wire::response_parser<wire::string_body> parser;
  parser.header_limit(static_cast<std::uint32_t>(ClientOptions::kMaxHeaderBytes));
  parser.body_limit(options.max_body_bytes);
  parser.skip(is_head);
  auto [received, bytes] = co_await wire::async_read(stream, buffer, parser, kAwait);
  error = received;
  if (error) co_return;
  auto message = parser.release();
  response.status = message.result_int();
  response.content_type = view(message[wire::field::content_type]);
  for (const auto& field : message) {
    response.headers.push_back(
        {std::string(view(field.name_string())), std::string(view(field.value()))});
  }
  response.body = std::move(message.body());
}

wire::request<wire::string_body> to_message(const Request& request, const ServerAddress& server) {
  wire::request<wire::string_body> message;
  message.version(11);
  const std::string_view method = to_string(request.method);
  message.method_string({method.data(), method.size()});
  message.target(request.target.to_string());
  const bool is_tcp = std::holds_alternative<net::Endpoint>(server);
  message.set(wire::field::host, is_tcp ? name_of(server) : "localhost");
  message.set(wire::field::connection, "close");
  for (const Header& header : request.headers) message.set(header.name, header.value);
  message.body() = request.body;
  message.prepare_payload();
  return message;
}

std::unexpected<Error> failure(const error_code& error, const std::string& where,
                               const ClientOptions& options) {
  if (error == beast::error::timeout) {
    const double seconds = std::chrono::duration<double>(options.timeout).count();
    return fail(ErrorCode::TimedOut,
                fmt::format("{}: no answer within {} s; {}", where, seconds, options.remedy));
  }
  if (error == asio::error::access_denied) {
    return fail(ErrorCode::PermissionDenied,
                fmt::format("{}: not permitted to connect; run as root or as a member of the "
                            "socket's group",
                            where));
  }
  if (error == asio::error::connection_refused ||
      error == boost::system::errc::no_such_file_or_directory) {
    return fail(ErrorCode::Unavailable,
                fmt::format("{}: nobody answers there; {}", where, options.remedy));
  }
  if (error == wire::error::body_limit) {
    return fail(ErrorCode::Exhausted, fmt::format("{}: the answer has more than {} bytes", where,
                                                  options.max_body_bytes));
  }
  return fail(ErrorCode::Unavailable,
              fmt::format("{}: {}; {}", where, error.message(), options.remedy));
}

}  // namespace

Result<Response> request(const ServerAddress& server, const Request& request,
                         const ClientOptions& options) {
  asio::generic::stream_protocol::endpoint endpoint;
  if (const auto* tcp = std::get_if<net::Endpoint>(&server)) {
    endpoint = to_asio(*tcp);
  } else {
    const std::string path = name_of(server);
    if (Status valid = check_socket_path(path); !valid) return pass(std::move(valid));
    endpoint = asio::local::stream_protocol::endpoint(path);
  }
  asio::io_context io{1};
  Exchange exchange(io, options);
  std::exception_ptr thrown;
  asio::co_spawn(io, exchange.run(endpoint, to_message(request, server)),
                 [&](const std::exception_ptr& exception) { thrown = exception; });
  io.run();
  if (thrown) return fail(ErrorCode::Io, name_of(server) + ": out of memory");
  if (exchange.error) return failure(exchange.error, name_of(server), options);
  return std::move(exchange.response);
}

}  // namespace ginnel::http
