// Requests and responses as plain values. Handlers, tests and clients know only these.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/target.h"
#include "net/endpoint.h"

namespace ginnel::http {

enum class Method { Get, Head, Post, Put, Patch, Delete, Options };

std::string_view to_string(Method method);  // "GET"
std::optional<Method> method_named(std::string_view name);

struct Header {
  std::string name;  // Compared without regard to case.
  std::string value;

  friend bool operator==(const Header&, const Header&) = default;
};

// Who was at the other end of a unix socket when it was connected, as the kernel says.
struct Credentials {
  std::uint32_t user = 0;
  std::uint32_t group = 0;
  std::int32_t process = 0;
};

struct Request {
  Method method = Method::Get;
  Target target = {};
  std::vector<Header> headers = {};
  std::string body = {};

  // Set by the server: exactly one of them.
  std::optional<net::Endpoint> remote = {};     // A client over TCP.
  std::optional<Credentials> credentials = {};  // A client over a unix socket.

  // The first of that name.
  std::optional<std::string_view> header(std::string_view name) const;
};

struct Response {
  unsigned status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body = {};
  std::vector<Header> headers = {};  // Besides those for type and length.

  std::optional<std::string_view> header(std::string_view name) const;
};

using Handler = std::move_only_function<Response(const Request&)>;

Response text_response(std::string text);
Response json_response(std::string json, unsigned status = 200);  // Adds the final newline.

// {"error":{"code":"not_found","message":"no peer \"x\""}}, with the status that fits the code, or
// with `status`.
Response error_response(const Error& error);
Response error_response(const Error& error, unsigned status);

// What error_response() made, back as an Error; a response of 2xx as it is. An answer that is
// neither becomes an error that quotes its status.
Result<Response> require_success(Response response);

}  // namespace ginnel::http
