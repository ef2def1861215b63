#include "http/message.h"

#include <fmt/format.h>

#include "base/text.h"
#include "http/json.h"

namespace ginnel {

BOOST_DESCRIBE_ENUM(ErrorCode, InvalidArgument, NotFound, AlreadyExists, PermissionDenied, Conflict,
                    Exhausted, Unavailable, TimedOut, Unsupported, Io);

}  // namespace ginnel

namespace ginnel::http {
namespace {

struct ErrorBody {
  ErrorCode code{};
  std::string message;
};
BOOST_DESCRIBE_STRUCT(ErrorBody, (), (code, message));

struct ErrorDocument {
  ErrorBody error;
};
BOOST_DESCRIBE_STRUCT(ErrorDocument, (), (error));

struct MethodName {
  Method method;
  std::string_view name;
};
constexpr MethodName kMethodNames[] = {
    {Method::Get, "GET"},         {Method::Head, "HEAD"},   {Method::Post, "POST"},
    {Method::Put, "PUT"},         {Method::Patch, "PATCH"}, {Method::Delete, "DELETE"},
    {Method::Options, "OPTIONS"},
};

std::optional<std::string_view> find(const std::vector<Header>& headers, std::string_view name) {
  for (const Header& header : headers) {
    if (equal_ignoring_case(header.name, name)) return header.value;
  }
  return std::nullopt;
}

unsigned status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::InvalidArgument:
      return 400;
    case ErrorCode::NotFound:
      return 404;
    case ErrorCode::AlreadyExists:
      return 409;
    case ErrorCode::PermissionDenied:
      return 403;
    case ErrorCode::Conflict:
      return 409;
    case ErrorCode::Exhausted:
      return 507;
    case ErrorCode::Unavailable:
      return 503;
    case ErrorCode::TimedOut:
      return 504;
    case ErrorCode::Unsupported:
      return 501;
    case ErrorCode::Io:
      return 500;
  }
  return 500;
}

}  // namespace

std::string_view to_string(Method method) {
  return kMethodNames[static_cast<std::size_t>(method)].name;
}

std::optional<Method> method_named(std::string_view name) {
  for (const MethodName& known : kMethodNames) {
    if (known.name == name) return known.method;
  }
  return std::nullopt;
}

std::optional<std::string_view> Request::header(std::string_view name) const {
  return find(headers, name);
}

std::optional<std::string_view> Response::header(std::string_view name) const {
  return find(headers, name);
}

Response text_response(std::string text) {
  Response response;
  response.body = std::move(text);
  return response;
}

Response json_response(std::string json, unsigned status) {
  Response response;
  response.status = status;
  response.content_type = "application/json";
  response.body = std::move(json);
  response.body += '\n';
  return response;
}

Response error_response(const Error& error) { return error_response(error, status_of(error.code)); }

Response error_response(const Error& error, unsigned status) {
  return json_response(to_json_text(ErrorDocument{{error.code, error.message}}), status);
}

Result<Response> require_success(Response response) {
  if (response.status >= 200 && response.status < 300) return response;
  if (auto document = from_json_text<ErrorDocument>(response.body)) {
    return fail(document->error.code, std::move(document->error.message));
  }
  return fail(ErrorCode::Unavailable, fmt::format("answered with HTTP status {}", response.status));
}

}  // namespace ginnel::http
