// The expected texts are what wireguard-tools 1.0.20210914 printed for the same devices.
#include "core/config/wg_show.h"

#include <gtest/gtest.h>

namespace ginnel::config {
namespace {

constexpr UnixTime kNow = UnixTime() + std::chrono::seconds(1'795'257'086);

UnixTime ago(std::chrono::seconds age) { return kNow - age; }

template <class Key>
Key key_of(std::uint8_t byte) {
  std::array<std::uint8_t, crypto::kKeySize> bytes;
  bytes.fill(byte);
  return Key(bytes);
}

wg::PeerStatus& add_peer(wg::DeviceStatus& device, std::uint8_t key) {
  wg::PeerStatus& peer = device.peers.emplace_back();
  peer.public_key = key_of<crypto::PublicKey>(key);
  return peer;
}

// Everything that can be set, in three peers: an IPv6 endpoint without a preshared key, an IPv4 one
// with it, and one that the clock has gone back for.
wg::DeviceStatus full_device() {
  wg::DeviceStatus device;
  device.private_key = key_of<crypto::PrivateKey>(0xaa);
  device.public_key = device.private_key->public_key();
  device.listen_port = 51820;
  device.fwmark = 51820;

  wg::PeerStatus& first = add_peer(device, 0xbb);
  first.endpoint = net::Endpoint::parse("[fe80::1%1]:1234").value();
  first.last_handshake = ago(3701s) + 5ns;
  first.tx_bytes = 1023;
  first.rx_bytes = 1024;
  first.persistent_keepalive_seconds = 3601;
  first.allowed_ips = {net::Prefix::parse("10.0.0.2/32").value(),
                       net::Prefix::parse("fd00::/64").value()};

  wg::PeerStatus& second = add_peer(device, 0xcc);
  second.preshared_key = key_of<crypto::PresharedKey>(0xaa);
  second.endpoint = net::Endpoint::parse("1.2.3.4:5").value();
  second.last_handshake = ago(40'000'001s);
  second.tx_bytes = 1048576;
  second.rx_bytes = 109951162777600000;

  wg::PeerStatus& third = add_peer(device, 0xdd);
  third.last_handshake = ago(-100s);
  third.persistent_keepalive_seconds = 1;
  return device;
}

std::string name_of_zone(std::uint32_t index) { return index == 1 ? "lo" : "?"; }

TEST(WgShow, PrettyFormIsWhatWgPrints) {
  EXPECT_EQ(wg_show_pretty("wg0", full_device(), kNow, {.zones = name_of_zone}),
            R"(interface: wg0
  public key: FMqeTTh7zPNXRuBAfaqsxrKKT4RF71pRWIlNuYPiQHA=
  private key: (hidden)
  listening port: 51820
  fwmark: 0xca6c

peer: 3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d0=
  allowed ips: (none)
  latest handshake: (System clock wound backward; connection problems may ensue.)
  persistent keepalive: every 1 second

peer: u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7s=
  endpoint: [fe80::1%lo]:1234
  allowed ips: 10.0.0.2/32, fd00::/64
  latest handshake: 1 hour, 1 minute, 41 seconds ago
  transfer: 1.00 KiB received, 1023 B sent
  persistent keepalive: every 1 hour, 1 second

peer: zMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMw=
  preshared key: (hidden)
  endpoint: 1.2.3.4:5
  allowed ips: (none)
  latest handshake: 1 year, 97 days, 23 hours, 6 minutes, 41 seconds ago
  transfer: 100000.00 TiB received, 1.00 MiB sent
)");
}

TEST(WgShow, ColoursAreThoseOfWg) {
  wg::DeviceStatus device = full_device();
  device.peers.pop_back();
  std::string text = wg_show_pretty("wg0", device, kNow,
                                    {.colour = true, .hides_keys = false, .zones = name_of_zone});
  for (std::size_t at = 0; (at = text.find('\x1b')) != std::string::npos;) text[at] = '^';
  EXPECT_EQ(text,
            R"(^[0m^[32m^[1minterface^[0m: ^[32mwg0^[0m
  ^[1mpublic key^[0m: FMqeTTh7zPNXRuBAfaqsxrKKT4RF71pRWIlNuYPiQHA=
  ^[1mprivate key^[0m: qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo=
  ^[1mlistening port^[0m: 51820
  ^[1mfwmark^[0m: 0xca6c

^[33m^[1mpeer^[0m: ^[33mu7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7s=^[0m
  ^[1mendpoint^[0m: [fe80::1%lo]:1234
  ^[1mallowed ips^[0m: 10.0.0.2^[36m/^[0m32, fd00::^[36m/^[0m64
  ^[1mlatest handshake^[0m: 1 ^[36mhour^[0m, 1 ^[36mminute^[0m, 41 ^[36mseconds^[0m ago
  ^[1mtransfer^[0m: 1.00 ^[36mKiB^[0m received, 1023 ^[36mB^[0m sent
  ^[1mpersistent keepalive^[0m: every 1 ^[36mhour^[0m, 1 ^[36msecond^[0m

^[33m^[1mpeer^[0m: ^[33mzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMw=^[0m
  ^[1mpreshared key^[0m: qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo=
  ^[1mendpoint^[0m: 1.2.3.4:5
  ^[1mallowed ips^[0m: (none)
  ^[1mlatest handshake^[0m: 1 ^[36myear^[0m, 97 ^[36mdays^[0m, 23 ^[36mhours^[0m, 6 ^[36mminutes^[0m, 41 ^[36mseconds^[0m ago
  ^[1mtransfer^[0m: 100000.00 ^[36mTiB^[0m received, 1.00 ^[36mMiB^[0m sent
)");
}

TEST(WgShow, DumpIsTabsAndNeverHidesKeys) {
  EXPECT_EQ(wg_show_field(WgField::Dump, "", full_device(), name_of_zone),
            "qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo=\t"
            "FMqeTTh7zPNXRuBAfaqsxrKKT4RF71pRWIlNuYPiQHA=\t51820\t0xca6c\n"
            "u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7s=\t(none)\t[fe80::1%lo]:1234\t"
            "10.0.0.2/32,fd00::/64\t1795253385\t1024\t1023\t3601\n"
            "zMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMw=\t"
            "qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo=\t1.2.3.4:5\t(none)\t1755257085\t"
            "109951162777600000\t1048576\toff\n"
            "3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d0=\t(none)\t(none)\t(none)"
            "\t1795257186\t0\t0\t1\n");
}

TEST(WgShow, AnEmptyDeviceShowsItsNameOnly) {
  const wg::DeviceStatus empty;
  EXPECT_EQ(wg_show_pretty("wg1", empty, kNow, {}), "interface: wg1\n");
  EXPECT_EQ(wg_show_field(WgField::Dump, "", empty, {}), "(none)\t(none)\t0\toff\n");
  EXPECT_EQ(wg_show_field(WgField::Dump, "wg1", empty, {}), "wg1\t(none)\t(none)\t0\toff\n");
  EXPECT_EQ(wg_show_field(WgField::Peers, "wg1", empty, {}), "");
}

TEST(WgShow, EachFieldIsAColumn) {
  const wg::DeviceStatus device = full_device();
  const std::string key = "zMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMw=";
  const std::pair<WgField, std::string> peer_rows[] = {
      {WgField::Peers, key},
      {WgField::PresharedKeys, key + "\tqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo="},
      {WgField::Endpoints, key + "\t1.2.3.4:5"},
      {WgField::AllowedIps, key + "\t(none)"},
      {WgField::LatestHandshakes, key + "\t1755257085"},
      {WgField::Transfer, key + "\t109951162777600000\t1048576"},
      {WgField::PersistentKeepalive, key + "\toff"},
  };
  for (const auto& [field, line] : peer_rows) {
    SCOPED_TRACE(line);
    EXPECT_NE(wg_show_field(field, "", device, {}).find("\n" + line + "\n"), std::string::npos);
    const std::string start = field == WgField::Endpoints ? "\n" : "\nwg0\t";
    EXPECT_NE(wg_show_field(field, "wg0", device, {}).find(start + line + "\n"), std::string::npos);
  }
  const std::pair<WgField, std::string> device_rows[] = {
      {WgField::PublicKey, "FMqeTTh7zPNXRuBAfaqsxrKKT4RF71pRWIlNuYPiQHA=\n"},
      {WgField::PrivateKey, "qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo=\n"},
      {WgField::ListenPort, "51820\n"},
      {WgField::Fwmark, "0xca6c\n"},
  };
  for (const auto& [field, line] : device_rows) {
    EXPECT_EQ(wg_show_field(field, "", device, {}), line);
    EXPECT_EQ(wg_show_field(field, "wg0", device, {}), "wg0\t" + line);
  }
  EXPECT_NE(wg_show_field(WgField::AllowedIps, "", device, {}).find("\t10.0.0.2/32 fd00::/64\n"),
            std::string::npos);
}

TEST(WgShow, EndpointsNameTheInterfaceOnceAsWgDoes) {
  EXPECT_EQ(wg_show_field(WgField::Endpoints, "wg0", {}, {}), "wg0\t");
  wg::DeviceStatus device;
  add_peer(device, 0xbb);
  add_peer(device, 0xcc);
  EXPECT_EQ(wg_show_field(WgField::Endpoints, "wg0", device, {}),
            "wg0\tu7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7s=\t(none)\n"
            "zMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMw=\t(none)\n");
}

TEST(WgShow, AFieldIsKnownByItsNameOnly) {
  EXPECT_EQ(parse_wg_field("public-key"), WgField::PublicKey);
  EXPECT_EQ(parse_wg_field("persistent-keepalive"), WgField::PersistentKeepalive);
  EXPECT_EQ(parse_wg_field("dump"), WgField::Dump);
  for (const std::string_view wrong : {"", " ", "dum", "dumpp", "Dump", "public-key private-key"}) {
    EXPECT_EQ(parse_wg_field(wrong), std::nullopt) << wrong;
  }
}

std::string line_of(const wg::PeerStatus& like, std::string_view name) {
  wg::DeviceStatus device;
  wg::PeerStatus& peer = device.peers.emplace_back();
  peer.last_handshake = like.last_handshake;
  peer.rx_bytes = like.rx_bytes;
  const std::string text = wg_show_pretty("wg0", device, kNow, {});
  const std::string start = "  " + std::string(name) + ": ";
  const std::size_t at = text.find(start);
  if (at == std::string::npos) return "";
  const std::size_t from = at + start.size();
  return text.substr(from, text.find('\n', from) - from);
}

TEST(WgShow, AgesNameOnlyTheUnitsThatAreNotZero) {
  const std::pair<std::chrono::seconds, std::string> rows[] = {
      {0s, "Now"},
      {1s, "1 second ago"},
      {2s, "2 seconds ago"},
      {60s, "1 minute ago"},
      {3600s, "1 hour ago"},
      {86'400s, "1 day ago"},
      {365 * 86'400s, "1 year ago"},
      {2 * 365 * 86'400s + 1s, "2 years, 1 second ago"},
      {-1s, "(System clock wound backward; connection problems may ensue.)"},
  };
  for (const auto& [age, text] : rows) {
    wg::PeerStatus peer;
    peer.last_handshake = ago(age);
    EXPECT_EQ(line_of(peer, "latest handshake"), text);
  }
  wg::PeerStatus never;
  EXPECT_EQ(line_of(never, "latest handshake"), "");
  never.last_handshake = UnixTime(7ns);  // To the second, this is the "never" of the protocol.
  EXPECT_EQ(line_of(never, "latest handshake"), "");
}

TEST(WgShow, AmountsChangeUnitAtEachPowerOf1024) {
  constexpr std::uint64_t kTiB = std::uint64_t{1} << 40;
  const std::pair<std::uint64_t, std::string> rows[] = {
      {1, "1 B"},
      {1023, "1023 B"},
      {1024, "1.00 KiB"},
      {1024 * 1024 - 1, "1024.00 KiB"},
      {1024 * 1024, "1.00 MiB"},
      {1024 * 1024 * 1024, "1.00 GiB"},
      {kTiB - 1, "1024.00 GiB"},
      {kTiB, "1.00 TiB"},
      {5 * kTiB * 1024, "5120.00 TiB"},
      {~std::uint64_t{0}, "16777216.00 TiB"},
  };
  for (const auto& [bytes, text] : rows) {
    wg::PeerStatus peer;
    peer.rx_bytes = bytes;
    EXPECT_EQ(line_of(peer, "transfer"), text + " received, 0 B sent");
  }
}

TEST(WgShow, PeersStandInTheOrderOfTheirLastHandshakeThenOfTheDevice) {
  wg::DeviceStatus device;
  add_peer(device, 1);
  add_peer(device, 2).last_handshake = ago(10s);
  add_peer(device, 3);
  add_peer(device, 4).last_handshake = ago(5s);
  add_peer(device, 5).last_handshake = ago(10s);
  const std::string text = wg_show_pretty("wg0", device, kNow, {});
  std::size_t before = 0;
  for (const std::uint8_t key : std::initializer_list<std::uint8_t>{4, 2, 5, 1, 3}) {
    const std::size_t at = text.find("peer: " + key_of<crypto::PublicKey>(key).to_base64());
    ASSERT_NE(at, std::string::npos);
    EXPECT_GT(at, before);
    before = at;
  }
}

TEST(WgShowConf, IsAFileForSetconf) {
  EXPECT_EQ(wg_show_conf({}, {}), "[Interface]\n\n");
  wg::DeviceStatus device{.listen_port = 51820, .fwmark = 0xca6c};
  device.private_key.emplace(key_of<crypto::PrivateKey>(7));
  add_peer(device, 1);
  wg::PeerStatus& peer = add_peer(device, 2);
  peer.preshared_key.emplace(key_of<crypto::PresharedKey>(9));
  peer.allowed_ips = {*net::Prefix::parse("10.0.0.0/8"), *net::Prefix::parse("fd00::/64")};
  peer.endpoint = *net::Endpoint::parse("[2001:db8::1]:51821");
  peer.persistent_keepalive_seconds = 25;
  EXPECT_EQ(wg_show_conf(device, {}),
            "[Interface]\nListenPort = 51820\nFwMark = 0xca6c\nPrivateKey = " +
                key_of<crypto::PrivateKey>(7).expose_as_base64() +
                "\n\n[Peer]\nPublicKey = " + key_of<crypto::PublicKey>(1).to_base64() +
                "\n\n[Peer]\nPublicKey = " + key_of<crypto::PublicKey>(2).to_base64() +
                "\nPresharedKey = " + key_of<crypto::PresharedKey>(9).expose_as_base64() +
                "\nAllowedIPs = 10.0.0.0/8, fd00::/64\nEndpoint = [2001:db8::1]:51821\n"
                "PersistentKeepalive = 25\n");
}

}  // namespace
}  // namespace ginnel::config
