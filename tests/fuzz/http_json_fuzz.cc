// A JSON body of a stranger: what is read is written again with the same meaning, and no depth or
// size does harm.
#include "base/check.h"
#include "http/json.h"
#include "service/server/new_peer.h"

namespace ginnel::http {

struct Inner {
  std::string name;
  std::optional<std::int32_t> number;
  std::vector<std::uint16_t> list;
};
BOOST_DESCRIBE_STRUCT(Inner, (), (name, number, list))

struct Outer {
  bool flag = false;
  std::optional<Nullable<std::string>> text;
  Nullable<std::uint64_t> large;
  std::vector<Inner> items;
  std::optional<double> real;
};
BOOST_DESCRIBE_STRUCT(Outer, (), (flag, text, large, items, real))

namespace {

void read(std::string_view text) {
  const auto value = from_json_text<Outer>(text);
  if (!value) {
    CHECK(!value.error().message.empty());
    CHECK(value.error().message.find('\n') == std::string::npos);
    return;
  }
  const std::string written = to_json_text(*value);
  const auto again = from_json_text<Outer>(written);
  CHECK(again.has_value());
  CHECK(to_json_text(*again) == written);
}

// What the control socket is asked to add, and what it answers itself.
void read_views(std::string_view text) {
  if (const auto view = from_json_text<server::NewPeerView>(text)) {
    const auto peer = server::parse_new_peer(*view);
    if (!peer) CHECK(peer.error().message.find('\n') == std::string::npos);
    if (peer && peer->endpoint) CHECK(peer->endpoint->port.has_value());
  }
  if (const auto document = from_json_text<server::PeerListDocument>(text)) {
    const std::string written = to_json_text(*document);
    CHECK(to_json_text(from_json_text<server::PeerListDocument>(written).value()) == written);
  }
}

}  // namespace
}  // namespace ginnel::http

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  ginnel::http::read(text);
  ginnel::http::read_views(text);
  return 0;
}
