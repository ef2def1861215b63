#include "http/router.h"

#include <gtest/gtest.h>

namespace ginnel::http {
namespace {

Request make_request(Method method, std::string_view target) {
  Request request;
  request.method = method;
  request.target = *Target::parse(target);
  return request;
}

Router make_router() {
  Router router;
  const auto says = [](const std::string& text) {
    return [text](const Request&, const PathParameters&) { return text_response(text); };
  };
  router.add(Method::Get, "/", says("root"));
  router.add(Method::Get, "/peers", says("list"));
  router.add(Method::Post, "/peers", says("add"));
  router.add(Method::Get, "/peers/all", says("literal"));
  router.add(Method::Get, "/peers/{name}/{part}", [](const Request&, const PathParameters& path) {
    return text_response(std::string(path["name"]) + " " + std::string(path["part"]));
  });
  router.add(Method::Delete, "/peers/{name}", says("remove"));
  return router;
}

TEST(Router, ChoosesByMethodAndPath) {
  struct Row {
    Method method;
    std::string_view target;
    unsigned status;
    std::string_view body;
  };
  const Row rows[] = {
      {Method::Get, "/", 200, "root"},
      {Method::Get, "/peers?x=1", 200, "list"},
      {Method::Get, "/peers/", 200, "list"},
      {Method::Head, "/peers", 200, "list"},
      {Method::Post, "/peers", 200, "add"},
      {Method::Get, "/peers/all", 200, "literal"},
      {Method::Delete, "/peers/all", 200, "remove"},
      {Method::Get, "/peers/a%2Fb/config", 200, "a/b config"},
  };
  Router router = make_router();
  for (const Row& row : rows) {
    SCOPED_TRACE(row.target);
    const Response response = router.handle(make_request(row.method, row.target));
    EXPECT_EQ(response.status, row.status);
    EXPECT_EQ(response.body, row.body);
  }
}

TEST(Router, SaysWhatIsMissing) {
  Router router = make_router();
  for (const std::string_view target : {"/nothing", "/peers/a/b/c", "/peers//config", "/Peers"}) {
    SCOPED_TRACE(target);
    const Response response = router.handle(make_request(Method::Get, target));
    EXPECT_EQ(response.status, 404u);
    EXPECT_EQ(response.body,
              R"({"error":{"code":"not_found","message":"there is nothing at this path"}})"
              "\n");
  }
}

TEST(Router, SaysWhichMethodsThereAre) {
  Router router = make_router();

  const Response wrong = router.handle(make_request(Method::Put, "/peers"));
  EXPECT_EQ(wrong.status, 405u);
  EXPECT_EQ(wrong.header("allow"), "GET, HEAD, POST");
  EXPECT_EQ(wrong.body, R"({"error":{"code":"invalid_argument","message":)"
                        R"("PUT does not work here; there is GET, HEAD, POST"}})"
                        "\n");

  const Response options = router.handle(make_request(Method::Options, "/peers/x"));
  EXPECT_EQ(options.status, 204u);
  EXPECT_EQ(options.header("allow"), "DELETE");
  EXPECT_EQ(options.body, "");
}

}  // namespace
}  // namespace ginnel::http
