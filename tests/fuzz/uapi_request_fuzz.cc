// A client of the control socket: two bytes say how its stream is cut into pieces, the rest is the
// stream. However it is cut, the same requests come out.
#include "base/check.h"
#include "core/config/uapi_request.h"
#include "fuzz/fuzz_input.h"

namespace ginnel::config {
namespace {

constexpr std::size_t kMaxRequest = 20'000;  // So that inputs can reach the limit.

std::optional<std::uint32_t> zone(std::string_view name) {
  if (name == "eth0") return 3;
  return std::nullopt;
}

void check_request(const UapiRequest& request) {
  CHECK(request.verb == UapiVerb::Set || request.change.peers.empty());
  if (request.error == UapiErrno::Ok) {
    CHECK(!request.must_close);
    for (const wg::PeerChange& peer : request.change.peers) {
      CHECK(!peer.remove || (!peer.endpoint && !peer.preshared_key && peer.allowed_ips.empty()));
    }
    return;
  }
  const wg::DeviceChange& change = request.change;
  CHECK(!change.private_key && !change.listen_port && !change.fwmark && !change.replace_peers);
  CHECK(change.peers.empty());
}

// What a request says, in a form that can be compared.
std::string summary(const UapiRequest& request) {
  std::string text = std::to_string(int(request.verb)) + "," + std::to_string(int(request.error)) +
                     (request.must_close ? "c" : "");
  const wg::DeviceChange& change = request.change;
  if (change.private_key) text += ",k" + change.private_key->expose_as_hex();
  if (change.listen_port) text += ",l" + std::to_string(*change.listen_port);
  if (change.fwmark) text += ",f" + std::to_string(*change.fwmark);
  if (change.replace_peers) text += ",r";
  for (const wg::PeerChange& peer : change.peers) {
    text += ";" + peer.public_key.to_hex() + (peer.remove ? "x" : "") +
            (peer.update_only ? "u" : "") + (peer.replace_allowed_ips ? "r" : "");
    if (peer.preshared_key) text += ",s" + peer.preshared_key->expose_as_hex();
    if (peer.endpoint) text += ",e" + peer.endpoint->to_string();
    if (peer.persistent_keepalive_seconds) {
      text += ",p" + std::to_string(*peer.persistent_keepalive_seconds);
    }
    for (const wg::AllowedIpChange& ip : peer.allowed_ips) {
      text += (ip.remove ? ",-" : ",+") + ip.prefix.to_string();
    }
  }
  return text;
}

std::vector<std::string> read(std::string_view stream, std::size_t piece_size) {
  UapiRequestParser parser(zone, kMaxRequest);
  std::vector<std::string> requests;
  while (!stream.empty()) {
    std::string_view piece = stream.substr(0, piece_size);
    stream.remove_prefix(piece.size());
    while (!piece.empty()) {
      const std::size_t taken = parser.feed(piece);
      CHECK(taken > 0 && taken <= piece.size());
      piece.remove_prefix(taken);
      while (const auto request = parser.take()) {
        check_request(*request);
        requests.push_back(summary(*request));
      }
    }
  }
  return requests;
}

}  // namespace
}  // namespace ginnel::config

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ginnel::FuzzInput in({data, size});
  const std::size_t piece_size = std::max<std::size_t>(in.number(), 1);
  const std::string_view stream = in.text(size);
  using ginnel::config::read;
  CHECK(read(stream, piece_size) == read(stream, std::max<std::size_t>(size, 1)));
  return 0;
}
