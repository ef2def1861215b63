#include "http/message.h"

#include <gtest/gtest.h>

namespace ginnel::http {
namespace {

TEST(Method, IsReadAsItIsWritten) {
  for (const Method method : {Method::Get, Method::Head, Method::Post, Method::Put, Method::Patch,
                              Method::Delete, Method::Options}) {
    EXPECT_EQ(method_named(to_string(method)), method);
  }
  EXPECT_EQ(method_named("get"), std::nullopt);
  EXPECT_EQ(method_named("TRACE"), std::nullopt);
}

TEST(Headers, AreFoundWithoutRegardToCase) {
  Request request;
  request.headers = {{"Content-Type", "a"}, {"content-type", "b"}};

  EXPECT_EQ(request.header("CONTENT-TYPE"), "a");
  EXPECT_EQ(request.header("Accept"), std::nullopt);
}

TEST(ErrorResponse, CarriesEveryErrorToTheOtherSide) {
  struct Row {
    ErrorCode code;
    unsigned status;
  };
  const Row rows[] = {
      {ErrorCode::InvalidArgument, 400}, {ErrorCode::NotFound, 404},
      {ErrorCode::AlreadyExists, 409},   {ErrorCode::PermissionDenied, 403},
      {ErrorCode::Conflict, 409},        {ErrorCode::Exhausted, 507},
      {ErrorCode::Unavailable, 503},     {ErrorCode::TimedOut, 504},
      {ErrorCode::Unsupported, 501},     {ErrorCode::Io, 500},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.status);
    const Response response = error_response({row.code, "peer \"x\": no\nsuch"});
    EXPECT_EQ(response.status, row.status);
    const auto back = require_success(response);
    ASSERT_FALSE(back);
    EXPECT_EQ(back.error().code, row.code);
    EXPECT_EQ(back.error().message, "peer \"x\": no\nsuch");
  }
}

TEST(RequireSuccess, TakesEvery2xxAndNamesForeignStatuses) {
  for (const unsigned status : {200u, 204u, 299u}) {
    EXPECT_TRUE(require_success({.status = status}));
  }
  for (const unsigned status : {199u, 300u, 502u}) {
    const auto refused = require_success({.status = status, .body = "<html>"});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::Unavailable);
    EXPECT_EQ(refused.error().message, "answered with HTTP status " + std::to_string(status));
  }
}

}  // namespace
}  // namespace ginnel::http
