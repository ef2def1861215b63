#include "core/config/uapi_request.h"

#include <gtest/gtest.h>

#include <random>

namespace ginnel::config {
namespace {

const std::string kKeyA(64, 'a');
const std::string kKeyB(64, 'b');
const std::string kKeyC(64, 'c');
const std::string kPeer = "set=1\npublic_key=" + kKeyA + "\n";

std::optional<std::uint32_t> zone(std::string_view name) {
  return name == "eth0" ? std::optional<std::uint32_t>(7) : std::nullopt;
}

// Everything that a request says, as text that can be compared and read.
std::string describe(const UapiRequest& request) {
  std::string text =
      fmt::format("{} errno {}{}", request.verb == UapiVerb::Get ? "get" : "set",
                  static_cast<int>(request.error), request.must_close ? " close" : "");
  const wg::DeviceChange& change = request.change;
  if (change.private_key) text += " private_key " + change.private_key->expose_as_hex();
  if (change.listen_port) text += fmt::format(" listen_port {}", *change.listen_port);
  if (change.fwmark) text += fmt::format(" fwmark {}", *change.fwmark);
  if (change.replace_peers) text += " replace_peers";
  for (const wg::PeerChange& peer : change.peers) {
    text += fmt::format("\n{}", peer.public_key.to_hex().substr(0, 2));
    if (peer.update_only) text += " update_only";
    if (peer.remove) text += " remove";
    if (peer.preshared_key) text += " psk " + peer.preshared_key->expose_as_hex().substr(0, 2);
    if (peer.endpoint) text += " endpoint " + peer.endpoint->to_string();
    if (peer.persistent_keepalive_seconds) {
      text += fmt::format(" keepalive {}", *peer.persistent_keepalive_seconds);
    }
    if (peer.replace_allowed_ips) text += " replace_allowed_ips";
    for (const wg::AllowedIpChange& ip : peer.allowed_ips) {
      text += fmt::format(" {}{}", ip.remove ? "-" : "", ip.prefix.to_string());
    }
  }
  return text;
}

// Feeds pieces of the sizes that `next_size` gives.
template <class NextSize>
std::vector<std::string> requests_of(std::string_view bytes, NextSize next_size,
                                     std::size_t max_request = kMaxUapiRequest) {
  UapiRequestParser parser(&zone, max_request);
  std::vector<std::string> requests;
  while (!bytes.empty()) {
    std::string_view piece = bytes.substr(0, next_size());
    bytes.remove_prefix(piece.size());
    while (!piece.empty()) {
      piece.remove_prefix(parser.feed(piece));
      if (const auto request = parser.take()) requests.push_back(describe(*request));
    }
  }
  if (parser.is_inside_request()) requests.push_back("unfinished");
  return requests;
}

std::vector<std::string> requests_of(std::string_view bytes) {
  return requests_of(bytes, [&] { return bytes.size(); });
}

std::string request_of(std::string_view bytes) {
  const std::vector<std::string> requests = requests_of(bytes);
  EXPECT_EQ(requests.size(), 1u);
  return requests.empty() ? "" : requests[0];
}

TEST(UapiRequestParser, ReadsAGet) { EXPECT_EQ(request_of("get=1\n\n"), "get errno 0"); }

TEST(UapiRequestParser, ReadsEveryKeyOfASet) {
  EXPECT_EQ(request_of("set=1\nprivate_key=" + kKeyA +
                       "\nlisten_port=51820\nfwmark=34952\nreplace_peers=true\npublic_key=" +
                       kKeyB + "\nupdate_only=true\npreshared_key=" + kKeyC +
                       "\nendpoint=192.0.2.1:51820\npersistent_keepalive_interval=25\n"
                       "replace_allowed_ips=true\nallowed_ip=10.0.0.0/8\nallowed_ip=-::/0\n"
                       "protocol_version=1\npublic_key=" +
                       kKeyC + "\nremove=true\n\n"),
            "set errno 0 private_key " + kKeyA +
                " listen_port 51820 fwmark 34952 replace_peers\n"
                "bb update_only psk cc endpoint 192.0.2.1:51820 keepalive 25 replace_allowed_ips "
                "10.0.0.0/8 -::/0\n"
                "cc remove");
}

TEST(UapiRequestParser, TakesZerosForUnset) {
  const std::string zeros(64, '0');
  EXPECT_EQ(request_of("set=1\nprivate_key=" + zeros + "\nlisten_port=0\nfwmark=0\n\n"),
            "set errno 0 private_key " + zeros + " listen_port 0 fwmark 0");
}

TEST(UapiRequestParser, AcceptsOrRefusesEachValueByTheTable) {
  struct Row {
    std::string lines;  // Behind "set=1".
    int error;
  };
  const std::string peer = "public_key=" + kKeyA + "\n";
  const Row rows[] = {
      {"private_key=" + kKeyA + "\n", 0},
      {"private_key=" + std::string(64, 'A') + "\n", 0},
      {"private_key=" + std::string(63, 'a') + "\n", 22},
      {"private_key=" + std::string(65, 'a') + "\n", 22},
      {"private_key=" + std::string(64, 'g') + "\n", 22},
      {"private_key=\n", 22},
      {"listen_port=65535\n", 0},
      {"listen_port=65536\n", 22},
      {"listen_port=-1\n", 22},
      {"listen_port= 1\n", 22},
      {"listen_port=domain\n", 22},
      {"listen_port=\n", 22},
      {"fwmark=4294967295\n", 0},
      {"fwmark=4294967296\n", 22},
      {"fwmark=0x10\n", 22},
      {"fwmark=off\n", 22},
      {"replace_peers=true\n", 0},
      {"replace_peers=false\n", 22},
      {"replace_peers=True\n", 22},
      {peer, 0},
      {"public_key=" + std::string(63, 'a') + "\n", 22},
      {peer + "update_only=true\n", 0},
      {peer + "update_only=1\n", 22},
      {peer + "remove=true\n", 0},
      {peer + "remove=yes\n", 22},
      {peer + "preshared_key=" + kKeyB + "\n", 0},
      {peer + "preshared_key=0\n", 22},
      {peer + "endpoint=[2001:db8::1]:1\n", 0},
      {peer + "endpoint=[fe80::1%eth0]:1\n", 0},
      {peer + "endpoint=[fe80::1%9]:1\n", 0},
      {peer + "endpoint=[fe80::1%eth1]:1\n", 22},
      {peer + "endpoint=192.0.2.1%eth0:1\n", 22},
      {peer + "endpoint=192.0.2.1\n", 22},
      {peer + "endpoint=192.0.2.1:65536\n", 22},
      {peer + "endpoint=2001:db8::1:1\n", 22},
      {peer + "endpoint=example.org:1\n", 22},
      {peer + "persistent_keepalive_interval=65535\n", 0},
      {peer + "persistent_keepalive_interval=65536\n", 22},
      {peer + "persistent_keepalive_interval=off\n", 22},
      {peer + "replace_allowed_ips=true\n", 0},
      {peer + "replace_allowed_ips=no\n", 22},
      {peer + "allowed_ip=10.0.0.0/32\n", 0},
      {peer + "allowed_ip=10.0.0.0/33\n", 22},
      {peer + "allowed_ip=-10.0.0.0/8\n", 0},
      {peer + "allowed_ip=--10.0.0.0/8\n", 22},
      {peer + "allowed_ip=+10.0.0.0/8\n", 22},
      {peer + "allowed_ip=10.0.0.0\n", 22},
      {peer + "allowed_ip=::/128\n", 0},
      {peer + "allowed_ip=::/129\n", 22},
      {peer + "allowed_ip=fe80::1%eth0/64\n", 22},
      {peer + "allowed_ip=\n", 22},
      {peer + "protocol_version=1\n", 0},
      {peer + "protocol_version=2\n", 22},
      {peer + "listen_port=1\n", 22},  // The device's keys come first.
      {"allowed_ip=10.0.0.0/8\n", 22},
      {"colour=red\n", 22},
      {peer + "colour=red\n", 22},
      {"=\n", 22},
      {"private_key\n", 71},
      {peer + "remove\n", 71},
      {peer + " \n", 71},
      {"get=1\n", 22},
      {"listen_port=1\r\n", 22},
      {peer + "remove=true\nallowed_ip=nonsense\n", 22},  // Checked although it has no effect.
      {peer + "update_only=true\nendpoint=nonsense\n", 22},
      {"listen_port=x\nno value\n", 22},  // The first error is the answer.
      {"no value\nlisten_port=x\n", 71},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.lines);
    const std::string request = request_of("set=1\n" + row.lines + "\n");
    EXPECT_TRUE(request.starts_with(fmt::format("set errno {}", row.error))) << request;
    if (row.error != 0) {
      EXPECT_EQ(request, fmt::format("set errno {}", row.error));  // Nothing to apply.
    }
  }
}

TEST(UapiRequestParser, RefusesRequestsThatAreNone) {
  struct Row {
    std::string_view bytes;
    std::vector<std::string> requests;
  };
  const Row rows[] = {
      {"get=1\nx\n\n", {"get errno 22"}},
      {"get=1\npublic_key=x\n\n", {"get errno 22"}},
      {"get=2\n\n", {"get errno 22"}},
      {"set=2\n\n", {"set errno 22"}},
      {"put=1\n\n", {"get errno 22"}},
      {"get\n\n", {"get errno 71"}},
      {"\n", {"get errno 22 close"}},
      {"\nget=1\n\n", {"get errno 22 close"}},
      {"get=1\n\n\nget=1\n\n", {"get errno 0", "get errno 22 close"}},
      // The next request is served after an error, and a pause means nothing.
      {"set=1\nx\n\nget=1\n\nset=1\n\n", {"set errno 71", "get errno 0", "set errno 0"}},
      {"", {}},
      {"get=1\n", {"unfinished"}},
      {"g", {"unfinished"}},
      {"get=1\n\nset=1\nx", {"get errno 0", "unfinished"}},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.bytes);
    EXPECT_EQ(requests_of(row.bytes), row.requests);
  }
}

TEST(UapiRequestParser, AppliesAPeersLinesInTheirOrder) {
  EXPECT_EQ(request_of(kPeer + "allowed_ip=10.0.0.0/8\nreplace_allowed_ips=true\n"
                               "allowed_ip=10.1.0.0/16\n\n"),
            "set errno 0\naa replace_allowed_ips 10.1.0.0/16");
  EXPECT_EQ(request_of(kPeer + "endpoint=192.0.2.1:1\nendpoint=192.0.2.2:2\n\n"),
            "set errno 0\naa endpoint 192.0.2.2:2");
  // What else stands there of a peer that goes has no effect.
  EXPECT_EQ(request_of(kPeer +
                       "allowed_ip=10.0.0.0/8\nremove=true\nendpoint=192.0.2.1:1\n"
                       "public_key=" +
                       kKeyA + "\n\n"),
            "set errno 0\naa remove\naa");
}

TEST(UapiRequestParser, NormalisesAddresses) {
  EXPECT_EQ(request_of(kPeer + "allowed_ip=10.1.2.3/8\nallowed_ip=2001:db8::1/32\n"
                               "endpoint=[fe80::1%eth0]:51820\n\n"),
            "set errno 0\naa endpoint [fe80::1%7]:51820 10.0.0.0/8 2001:db8::/32");
  EXPECT_EQ(request_of(kPeer + "endpoint=[::ffff:192.0.2.1]:51820\n\n"),
            "set errno 0\naa endpoint 192.0.2.1:51820");
}

TEST(UapiRequestParser, BoundsALine) {
  struct Row {
    std::size_t size;
    std::string_view request;
  };
  // A key that is not known, with a value as long as the line allows.
  const Row rows[] = {{kMaxUapiLine - 1, "set errno 22"},
                      {kMaxUapiLine, "set errno 22"},
                      {kMaxUapiLine + 1, "set errno 22 close"}};
  for (const Row& row : rows) {
    SCOPED_TRACE(row.size);
    const std::string bytes = "set=1\nk=" + std::string(row.size - 2, 'x') + "\n\nget=1\n\n";
    for (const std::size_t piece : {std::size_t{1}, std::size_t{1000}, bytes.size()}) {
      const auto requests = requests_of(bytes, [&] { return piece; });
      ASSERT_FALSE(requests.empty());
      EXPECT_EQ(requests[0], row.request);
      EXPECT_EQ(requests.size(), row.size > kMaxUapiLine ? 1u : 2u);
    }
  }
  // A line that never ends is refused when it is too long, not when it ends.
  EXPECT_EQ(requests_of("set=1\n" + std::string(kMaxUapiLine + 1, 'x')),
            std::vector<std::string>{"set errno 22 close"});
}

TEST(UapiRequestParser, BoundsARequest) {
  const std::string bytes = "set=1\nlisten_port=1\nlisten_port=2\n\n";
  struct Row {
    std::size_t limit;
    std::vector<std::string> requests;
  };
  const std::string good = "set errno 0 listen_port 2";
  const Row rows[] = {{bytes.size() + 1, {good, good}},
                      {bytes.size(), {good, good}},  // Each request has the limit to itself.
                      {bytes.size() - 1, {"set errno 22 close"}},
                      {10, {"set errno 22 close"}}};
  for (const Row& row : rows) {
    SCOPED_TRACE(row.limit);
    EXPECT_EQ(requests_of(bytes + bytes, [] { return 7; }, row.limit), row.requests);
  }
}

// What one request says does not depend on how the stream was cut.
TEST(UapiRequestParser, GivesTheSameForEveryCut) {
  std::mt19937 random(11);
  const std::string pieces[] = {
      "set=1\n",
      "get=1\n",
      "\n",
      "public_key=" + kKeyA + "\n",
      "public_key=" + kKeyB + "\n",
      "allowed_ip=10.0.0.0/8\n",
      "allowed_ip=-2001:db8::/32\n",
      "endpoint=[fe80::1%eth0]:5\n",
      "remove=true\n",
      "update_only=true\n",
      "replace_peers=true\n",
      "listen_port=1\n",
      "bad\n",
      "private_key=" + kKeyC + "\n",
      "preshared_key=" + kKeyC + "\n",
      "fwmark=x\n",
      "persistent_keepalive_interval=5\n",
      "replace_allowed_ips=true\n",
      "set=1\n\n",
      "get=1\n\n",
  };
  for (int round = 0; round < 500; ++round) {
    std::string bytes = random() % 4 == 0 ? "" : "set=1\n";
    for (std::size_t i = random() % 20; i > 0; --i) bytes += pieces[random() % std::size(pieces)];
    const auto whole = requests_of(bytes);
    const auto bytewise = requests_of(bytes, [] { return 1; });
    const auto cut = requests_of(bytes, [&] { return 1 + random() % 40; });
    ASSERT_EQ(whole, bytewise) << bytes;
    ASSERT_EQ(whole, cut) << bytes;
  }
}

TEST(UapiRequestParser, ReadsManyPeers) {
  constexpr std::size_t kPeers = 20'000;
  std::string bytes = "set=1\nreplace_peers=true\n";
  for (std::size_t i = 0; i < kPeers; ++i) {
    bytes += fmt::format(
        "public_key={:064x}\nendpoint=198.51.{}.{}:51820\nreplace_allowed_ips=true\n"
        "allowed_ip=10.0.{}.{}/32\n",
        i, i / 256, i % 256, i / 256, i % 256);
  }
  bytes += "\n";
  UapiRequestParser parser;
  ASSERT_EQ(parser.feed(bytes), bytes.size());
  const auto request = parser.take();
  ASSERT_TRUE(request);
  ASSERT_EQ(request->change.peers.size(), kPeers);
  EXPECT_EQ(request->change.peers.back().allowed_ips[0].prefix.to_string(),
            fmt::format("10.0.{}.{}/32", (kPeers - 1) / 256, (kPeers - 1) % 256));
  // 100,000 peers are configured at once.
  EXPECT_LE(sizeof(wg::PeerChange), 136u);
}

TEST(UapiErrno, SaysWhatAnErrorMeans) {
  EXPECT_EQ(uapi_errno_of(ErrorCode::InvalidArgument), UapiErrno::Invalid);
  EXPECT_EQ(uapi_errno_of(ErrorCode::AlreadyExists), UapiErrno::AddressInUse);
  EXPECT_EQ(uapi_errno_of(ErrorCode::PermissionDenied), UapiErrno::NotPermitted);
  EXPECT_EQ(uapi_errno_of(ErrorCode::Io), UapiErrno::Io);
  EXPECT_EQ(uapi_errno_of(ErrorCode::Exhausted), UapiErrno::Other);
}

}  // namespace
}  // namespace ginnel::config
