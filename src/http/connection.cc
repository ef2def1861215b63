#include "http/connection.h"

#include <fmt/format.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include "base/text.h"

// In the coroutines below co_await stands in statements of its own, with plain variables as its
// arguments: g++ 12 miscompiles it in conditions with && or ||, in ?:, and beside braced
// temporaries.

namespace ginnel::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace wire = boost::beast::http;
using boost::system::error_code;

using Stream = beast::basic_stream<asio::generic::stream_protocol>;
using Parser = wire::request_parser<wire::string_body>;

constexpr std::size_t kReadBytes = 4096;
// A client that is told to go may still be sending. Closing at once would reset the connection and
// take the answer from it, so this much more is read, for this long.
constexpr std::size_t kMaxLingerBytes = 256 << 10;
constexpr Duration kMaxLinger = 1s;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

std::string_view view(boost::beast::string_view text) { return {text.data(), text.size()}; }

// The answer to a request that could not be read; absent when nobody would read the answer.
std::optional<Response> answer_to(const error_code& error) {
  const auto answer = [](unsigned status, std::string_view text) {
    return error_response({ErrorCode::InvalidArgument, std::string(text)}, status);
  };
  if (error == wire::error::header_limit || error == wire::error::buffer_overflow) {
    return answer(431, "the request's headers are too long");
  }
  if (error == wire::error::body_limit) return answer(413, "the request's body is too long");
  if (error == wire::error::end_of_stream || error == wire::error::partial_message) return {};
  if (error.category() == make_error_code(wire::error::bad_method).category()) {
    return answer(400, fmt::format("this is not HTTP/1.1: {}", error.message()));
  }
  return std::nullopt;
}

// Header lines of ours can hold what a client sent; a line break there would begin another header.
std::string on_one_line(std::string_view text) {
  std::string line(text);
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return line;
}

// What RFC 9112 demands and Beast leaves to its user, or nothing.
std::optional<Response> objection_to(const wire::request_header<>& header) {
  const auto object = [](unsigned status, std::string_view text) {
    return error_response({ErrorCode::InvalidArgument, std::string(text)}, status);
  };
  const auto hosts = header.count(wire::field::host);
  if (hosts > 1 || (hosts == 0 && header.version() >= 11)) {
    return object(400, "the request needs one Host header");
  }
  if (!method_named(view(header.method_string()))) {
    return object(501, "the request's method is not known");
  }
  if (header.count(wire::field::expect) > 0 &&
      !equal_ignoring_case(view(header[wire::field::expect]), "100-continue")) {
    return object(417, "only 100-continue can be expected");
  }
  return std::nullopt;
}

}  // namespace

struct Connection::State {
  State(Socket socket, const ServerOptions& server_options, Handler& server_handler)
      : options(server_options),
        handler(server_handler),
        stream(std::move(socket)),
        buffer(server_options.max_header_bytes + kReadBytes) {
    error_code ignored;
    remote = from_asio(stream.socket().remote_endpoint(ignored));
    if (!remote) credentials = credentials_of(stream.socket());
  }

  asio::awaitable<bool> wait_for_request();
  // False: the request ends here; it was answered, or nobody is left to answer.
  asio::awaitable<bool> read_header(Parser& parser);
  asio::awaitable<bool> read_body(Parser& parser);
  Result<Request> to_request(wire::request<wire::string_body>&& message) const;
  asio::awaitable<void> answer_one_request();
  asio::awaitable<void> send(Response response, bool is_head, unsigned version, bool keep_open);
  asio::awaitable<void> send_failure(const error_code& error);
  asio::awaitable<void> linger();

  const ServerOptions& options;
  Handler& handler;
  Stream stream;
  beast::flat_buffer buffer;  // May hold the beginning of the next request.
  std::optional<net::Endpoint> remote;
  std::optional<Credentials> credentials;
  bool sending = false;
  bool ends = false;  // Read no further request.
};

// A client may keep a connection open for as long as it is idle, but not hold a request back.
asio::awaitable<bool> Connection::State::wait_for_request() {
  if (buffer.size() == 0) {
    stream.expires_after(options.idle_timeout);
    auto [error, bytes] = co_await stream.async_read_some(buffer.prepare(kReadBytes), kAwait);
    if (error) co_return false;
    buffer.commit(bytes);
  }
  stream.expires_after(options.request_timeout);
  co_return !ends;
}

asio::awaitable<bool> Connection::State::read_header(Parser& parser) {
  auto [error, bytes] = co_await wire::async_read_header(stream, buffer, parser, kAwait);
  if (error) {
    co_await send_failure(error);
    co_return false;
  }
  if (auto objection = objection_to(parser.get())) {
    co_await send(std::move(*objection), false, parser.get().version(), false);
    co_return false;
  }
  co_return true;
}

asio::awaitable<bool> Connection::State::read_body(Parser& parser) {
  if (parser.is_done()) co_return true;
  if (parser.get().count(wire::field::expect) > 0 && parser.get().version() >= 11) {
    constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    auto [error, bytes] = co_await asio::async_write(
        stream, asio::const_buffer(kContinue.data(), kContinue.size()), kAwait);
    if (error) co_return false;
  }
  auto [error, bytes] = co_await wire::async_read(stream, buffer, parser, kAwait);
  if (error) co_await send_failure(error);
  co_return !error;
}

Result<Request> Connection::State::to_request(wire::request<wire::string_body>&& message) const {
  auto target = Target::parse(view(message.target()));
  if (!target) return pass(std::move(target));
  Request request;
  request.method = *method_named(view(message.method_string()));
  request.target = std::move(*target);
  for (const auto& field : message) {
    request.headers.push_back(
        {std::string(view(field.name_string())), std::string(view(field.value()))});
  }
  request.body = std::move(message.body());
  request.remote = remote;
  request.credentials = credentials;
  return request;
}

asio::awaitable<void> Connection::State::answer_one_request() {
  Parser parser;
  parser.header_limit(static_cast<std::uint32_t>(options.max_header_bytes));
  parser.body_limit(options.max_body_bytes);
  bool complete = co_await read_header(parser);
  if (complete) complete = co_await read_body(parser);
  if (!complete) {
    ends = true;
    co_return;
  }
  const bool keep_open = parser.get().keep_alive();
  const bool is_head = parser.get().method() == wire::verb::head;
  const unsigned version = parser.get().version();
  auto request = to_request(parser.release());
  Response response = request ? handler(*request) : error_response(request.error());
  co_await send(std::move(response), is_head, version, keep_open && !ends);
}

asio::awaitable<void> Connection::State::send_failure(const error_code& error) {
  if (auto response = answer_to(error)) co_await send(std::move(*response), false, 11, false);
}

asio::awaitable<void> Connection::State::send(Response response, bool is_head, unsigned version,
                                              bool keep_open) {
  wire::response<wire::string_body> message;
  message.version(version);
  message.result(response.status);
  for (const Header& header : response.headers) {
    message.insert(on_one_line(header.name), on_one_line(header.value));
  }
  message.body() = std::move(response.body);
  // These two have no body, and no length either (RFC 9110, section 8.6).
  if (response.status == 204 || response.status == 304) {
    message.body().clear();
  } else {
    message.set(wire::field::content_type, on_one_line(response.content_type));
    message.content_length(message.body().size());
  }
  message.keep_alive(keep_open);
  ends = ends || !keep_open;
  wire::response_serializer<wire::string_body> serializer(message);
  stream.expires_after(options.request_timeout);
  sending = true;
  error_code error;
  if (is_head) {
    auto [failed, bytes] = co_await wire::async_write_header(stream, serializer, kAwait);
    error = failed;
  } else {
    auto [failed, bytes] = co_await wire::async_write(stream, serializer, kAwait);
    error = failed;
  }
  sending = false;
  if (error) {
    ends = true;
  } else if (ends) {
    co_await linger();
  }
}

asio::awaitable<void> Connection::State::linger() {
  error_code error;
  stream.socket().shutdown(asio::socket_base::shutdown_send, error);
  stream.expires_after(kMaxLinger);
  buffer.clear();
  for (std::size_t total = 0; !error && total < kMaxLingerBytes;) {
    auto [failed, bytes] = co_await stream.async_read_some(buffer.prepare(kReadBytes), kAwait);
    error = failed;
    total += bytes;
  }
}

Connection::Connection(Socket socket, const ServerOptions& options, Handler& handler)
    : state_(std::make_unique<State>(std::move(socket), options, handler)) {}
Connection::~Connection() = default;

asio::awaitable<void> Connection::serve() {
  while (!state_->ends) {
    const bool begun = co_await state_->wait_for_request();
    if (!begun) co_return;
    co_await state_->answer_one_request();
  }
}

asio::awaitable<void> Connection::refuse() {
  Response response =
      error_response({ErrorCode::Exhausted, "too many connections; try again later"}, 503);
  co_await state_->send(std::move(response), false, 11, false);
}

void Connection::stop() {
  state_->ends = true;
  if (!state_->sending) state_->stream.cancel();
}

void Connection::close() { state_->stream.close(); }

}  // namespace ginnel::http
