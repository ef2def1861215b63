#include "core/config/uapi_response.h"

#include <gtest/gtest.h>

namespace ginnel::config {
namespace {

using crypto::PresharedKey;
using crypto::PrivateKey;
using crypto::PublicKey;

const std::string kKeyA(64, 'a');
const std::string kKeyB(64, 'b');
const std::string kKeyC(64, 'c');
const std::string kZeros(64, '0');

wg::PeerStatus peer(const std::string& key) {
  wg::PeerStatus status;
  status.public_key = PublicKey::from_hex(key).value();
  return status;
}

wg::DeviceStatus full_device() {
  wg::DeviceStatus device;
  device.private_key = PrivateKey::from_hex(kKeyA).value();
  device.public_key = device.private_key->public_key();
  device.listen_port = 51820;
  device.fwmark = 0x8888;
  device.counters = {{"drop_replay", 3}};
  wg::PeerStatus full = peer(kKeyB);
  full.preshared_key = PresharedKey::from_hex(kKeyC).value();
  full.endpoint = net::Endpoint::parse("[2001:db8::1]:7").value();
  full.last_handshake = UnixTime(1'700'000'000s + 5ns);
  full.rx_bytes = 11;
  full.tx_bytes = 22;
  full.persistent_keepalive_seconds = 25;
  full.allowed_ips = {net::Prefix::parse("10.0.0.2/32").value(),
                      net::Prefix::parse("::/0").value()};
  full.counters = {{"failed_mac1", 1}};
  device.peers.push_back(std::move(full));
  device.peers.push_back(peer(kKeyC));
  return device;
}

const std::string kFullResponse =
    "private_key=" + kKeyA +
    "\nlisten_port=51820\nfwmark=34952\nginnel_drop_replay=3\n"
    "public_key=" +
    kKeyB + "\npreshared_key=" + kKeyC +
    "\nprotocol_version=1\nendpoint=[2001:db8::1]:7\n"
    "last_handshake_time_sec=1700000000\nlast_handshake_time_nsec=5\n"
    "tx_bytes=22\nrx_bytes=11\npersistent_keepalive_interval=25\n"
    "allowed_ip=10.0.0.2/32\nallowed_ip=::/0\nginnel_failed_mac1=1\n"
    "public_key=" +
    kKeyC + "\npreshared_key=" + kZeros +
    "\nprotocol_version=1\nlast_handshake_time_sec=0\nlast_handshake_time_nsec=0\n"
    "tx_bytes=0\nrx_bytes=0\npersistent_keepalive_interval=0\n"
    "errno=0\n\n";

TEST(UapiGetResponse, HasTheKeysInTheirOrder) {
  EXPECT_EQ(uapi_get_response(full_device()), kFullResponse);
}

TEST(UapiGetResponse, LeavesOutWhatIsNotSet) { EXPECT_EQ(uapi_get_response({}), "errno=0\n\n"); }

TEST(UapiGetResponse, IsTheSameInParts) {
  const wg::DeviceStatus device = full_device();
  std::string parts;
  append_uapi_device(parts, device);
  for (const wg::PeerStatus& status : device.peers) append_uapi_peer(parts, status);
  append_uapi_end(parts, UapiVerb::Get, UapiErrno::Ok);
  EXPECT_EQ(parts, kFullResponse);
}

TEST(UapiEnd, IsNegativeForASetAndPositiveForAGet) {
  struct Row {
    UapiVerb verb;
    UapiErrno error;
    std::string_view text;
  };
  const Row rows[] = {
      {UapiVerb::Get, UapiErrno::Ok, "errno=0\n\n"},
      {UapiVerb::Set, UapiErrno::Ok, "errno=0\n\n"},
      {UapiVerb::Get, UapiErrno::Invalid, "errno=22\n\n"},
      {UapiVerb::Set, UapiErrno::Invalid, "errno=-22\n\n"},
      {UapiVerb::Get, UapiErrno::Protocol, "errno=71\n\n"},
      {UapiVerb::Set, UapiErrno::Protocol, "errno=-71\n\n"},
      {UapiVerb::Set, UapiErrno::AddressInUse, "errno=-98\n\n"},
      {UapiVerb::Set, UapiErrno::NotPermitted, "errno=-1\n\n"},
      {UapiVerb::Set, UapiErrno::Io, "errno=-5\n\n"},
      {UapiVerb::Set, UapiErrno::Other, "errno=-55\n\n"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.text);
    std::string text;
    append_uapi_end(text, row.verb, row.error);
    EXPECT_EQ(text, row.text);
  }
}

TEST(ParseUapiGetResponse, ReadsWhatADeviceWrites) {
  const auto device = parse_uapi_get_response(kFullResponse);
  ASSERT_TRUE(device);
  EXPECT_EQ(uapi_get_response(*device), kFullResponse);
  EXPECT_EQ(device->public_key, full_device().public_key);
  EXPECT_EQ(device->peers[0].last_handshake, full_device().peers[0].last_handshake);
  EXPECT_FALSE(device->peers[1].last_handshake);
  EXPECT_FALSE(device->peers[1].preshared_key);
}

TEST(ParseUapiGetResponse, ReadsWhatOtherDevicesWrite) {
  const auto device = parse_uapi_get_response(
      "private_key=" + kZeros + "\nshoe_size=44\npublic_key=" + kKeyA +
          "\nendpoint=[fe80::1%eth0]:1\nhandshake_mood=good\nginnel_name=x\nerrno=0\n\n",
      [](std::string_view zone) {
        return zone == "eth0" ? std::optional<std::uint32_t>(3) : std::nullopt;
      });
  ASSERT_TRUE(device);
  EXPECT_FALSE(device->private_key);
  ASSERT_EQ(device->peers.size(), 1u);
  EXPECT_EQ(device->peers[0].endpoint->scope, 3u);
  EXPECT_TRUE(device->peers[0].counters.empty());
}

TEST(ParseUapiGetResponse, RefusesByMeaning) {
  struct Row {
    std::string text;
    std::string_view message;
  };
  const std::string peer_lines = "public_key=" + kKeyA + "\n";
  const auto nonsense = [](std::string_view key) {
    return fmt::format(
        "the answer has a line that makes no sense, at \"{}\"; is this a WireGuard device?", key);
  };
  const std::string at_endpoint = nonsense("endpoint");
  const std::string at_allowed = nonsense("allowed_ip");
  const std::string at_port = nonsense("listen_port");
  const std::string at_errno = nonsense("errno");
  const std::string at_seconds = nonsense("last_handshake_time_sec");
  const std::string at_private = nonsense("private_key");
  const std::string at_nothing = nonsense("");
  const Row rows[] = {
      {"errno=1\n\n", "operation not permitted"},
      {"errno=-1\n\n", "operation not permitted"},
      {"errno=5\n\n", "input or output error"},
      {"errno=22\n\n", "invalid argument"},
      {"errno=-71\n\n", "protocol error"},
      {"errno=98\n\n", "address in use"},
      {"errno=55\n\n", "error number 55"},
      {"errno=-9223372036854775808\n\n", "error number 9223372036854775807"},
      {"\n", "the answer has no errno; is this a WireGuard device?"},
      {"listen_port=1\n\n", "the answer has no errno; is this a WireGuard device?"},
      {"", "the answer ended early; is the device shutting down?"},
      {"errno=0\n", "the answer ended early; is the device shutting down?"},
      {"errno=x\n\n", at_errno},
      {"hello " + kKeyA + "\n\n", at_nothing},
      {"private_key=x\nerrno=0\n\n", at_private},
      {"listen_port=65536\nerrno=0\n\n", at_port},
      {peer_lines + "endpoint=[fe80::1%eth0]:1\nerrno=0\n\n", at_endpoint},
      {peer_lines + "allowed_ip=x\nerrno=0\n\n", at_allowed},
      {peer_lines + "last_handshake_time_sec=9223372036\nerrno=0\n\n", at_seconds},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.text);
    const auto device = parse_uapi_get_response(row.text);
    ASSERT_FALSE(device);
    EXPECT_EQ(device.error().message, row.message);
  }
}

TEST(IsCompleteUapiResponse, LooksForTheEmptyLine) {
  EXPECT_TRUE(is_complete_uapi_response("errno=0\n\n"));
  EXPECT_TRUE(is_complete_uapi_response("\n"));
  EXPECT_FALSE(is_complete_uapi_response("errno=0\n"));
  EXPECT_FALSE(is_complete_uapi_response("errno=0"));
  EXPECT_FALSE(is_complete_uapi_response(""));
}

}  // namespace
}  // namespace ginnel::config
