#include "core/config/quick_edit.h"

#include <gtest/gtest.h>

namespace ginnel::config {
namespace {

constexpr const char* kKeyA = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";
constexpr const char* kKeyB = "TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0=";
const std::string kText = R"(# My tunnel.
[Interface]
PrivateKey = yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=
Address = 10.0.0.2/24   # home
ListenPort=51820
PostUp = echo up # really
DNS = 10.0.0.1, home.example

# Anna's laptop
[Peer]
PublicKey = xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=
AllowedIPs = 10.1.0.0/16
Endpoint = anna.example:51820 # moves

# Ben
[Peer]
PublicKey = TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0=
AllowedIPs = 10.2.0.0/16
AllowedIPs = fd02::/64
PersistentKeepalive = 25
)";

net::Prefix prefix(const char* text) { return net::Prefix::parse(text).value(); }

wg::PeerStatus peer_of(const char* key, std::vector<net::Prefix> allowed) {
  wg::PeerStatus peer;
  peer.public_key = crypto::PublicKey::parse(key).value();
  peer.allowed_ips = std::move(allowed);
  return peer;
}

class QuickEditTest : public testing::Test {
 protected:
  QuickEditTest() {
    device_.private_key =
        crypto::PrivateKey::parse("yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=").value();
    device_.listen_port = 51820;
    device_.peers.push_back(peer_of(kKeyA, {prefix("10.1.0.0/16")}));
    device_.peers.back().endpoint = net::Endpoint::parse("192.0.2.7:1234").value();
    device_.peers.push_back(peer_of(kKeyB, {prefix("fd02::/64"), prefix("10.2.0.0/16")}));
    device_.peers.back().persistent_keepalive_seconds = 25;
  }

  std::string edited(std::string_view text = kText) {
    const auto file = parse_quick_file("wg0.conf", text);
    EXPECT_TRUE(file) << file.error().message;
    std::string result = edit_quick_file(text, *file,
                                         {.device = device_,
                                          .addresses = addresses_,
                                          .automatic_port = 40000,
                                          .automatic_fwmark = 51820});
    EXPECT_TRUE(parse_quick_file("wg0.conf", result).has_value()) << result;
    return result;
  }
  // The text with one piece replaced by another.
  static std::string with(std::string text, std::string_view from, std::string_view to) {
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  }

  wg::DeviceStatus device_;
  std::vector<net::InterfaceAddress> addresses_{
      net::InterfaceAddress::parse("10.0.0.2/24").value()};
};

TEST_F(QuickEditTest, LeavesAFileThatSaysWhatIs) { EXPECT_EQ(edited(), kText); }

TEST_F(QuickEditTest, ReplacesAValueAndKeepsItsComment) {
  addresses_.push_back(net::InterfaceAddress::parse("fd00::2/64").value());
  EXPECT_EQ(edited(), with(kText, "10.0.0.2/24   #", "10.0.0.2/24, fd00::2/64   #"));
  addresses_.pop_back();
  device_.listen_port = 51821;
  EXPECT_EQ(edited(), with(kText, "ListenPort=51820", "ListenPort=51821"));
}

TEST_F(QuickEditTest, PutsSeveralLinesIntoOne) {
  device_.peers[1].allowed_ips = {prefix("10.3.0.0/16"), prefix("10.4.0.0/16")};
  EXPECT_EQ(edited(), with(with(kText, "10.2.0.0/16", "10.3.0.0/16, 10.4.0.0/16"),
                           "AllowedIPs = fd02::/64\n", ""));
}

TEST_F(QuickEditTest, AddsAndRemovesLines) {
  device_.peers[1].persistent_keepalive_seconds = 0;
  device_.peers[0].persistent_keepalive_seconds = 7;
  device_.fwmark = 9;
  EXPECT_EQ(edited(), with(with(with(kText, "PersistentKeepalive = 25\n", ""), "# moves\n",
                                "# moves\nPersistentKeepalive = 7\n"),
                           "home.example\n", "home.example\nFwMark = 0x9\n"));
}

TEST_F(QuickEditTest, KeepsTheNameOfAHostAndNotAnAddress) {
  const std::string by_address = with(kText, "anna.example:51820", "192.0.2.1:51820");
  EXPECT_EQ(edited(by_address), with(kText, "anna.example:51820", "192.0.2.7:1234"));
}

TEST_F(QuickEditTest, RemovesAPeerWithItsComment) {
  device_.peers.erase(device_.peers.begin());
  const std::string text = edited();
  EXPECT_EQ(text.find("Anna"), std::string::npos);
  EXPECT_EQ(text.find(kKeyA), std::string::npos);
  EXPECT_NE(text.find("# Ben\n[Peer]\nPublicKey = TrMv"), std::string::npos) << text;
}

TEST_F(QuickEditTest, AppendsANewPeer) {
  const char* key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE=";
  device_.peers.push_back(peer_of(key, {prefix("10.9.0.0/16")}));
  EXPECT_EQ(edited(), kText + "\n[Peer]\nPublicKey = " + key + "\nAllowedIPs = 10.9.0.0/16\n");
}

TEST_F(QuickEditTest, WritesNothingThatWasChosenByChance) {
  const std::string text = with(kText, "ListenPort=51820\n", "");
  device_.listen_port = 40000;
  device_.fwmark = 51820;
  EXPECT_EQ(edited(text), text);
  device_.listen_port = 40001;
  EXPECT_EQ(edited(text), with(text, "home.example\n", "home.example\nListenPort = 40001\n"));
}

TEST_F(QuickEditTest, PutsSectionsOfOnePeerTogetherWhenItChanges) {
  const std::string twice = kText + "[Peer]\nPublicKey = " + kKeyA +
                            "\nAllowedIPs = 10.7.0.0/16\n[Interface]\nListenPort = 7\n";
  device_.listen_port = 8;
  const auto file = parse_quick_file("wg0.conf", edited(twice));
  ASSERT_TRUE(file);
  EXPECT_EQ(file->listen_port, "8");
  ASSERT_EQ(file->peers.size(), 2u);
  ASSERT_EQ(file->peers[0].allowed_ips.size(), 1u);
  EXPECT_EQ(file->peers[0].allowed_ips[0].prefix, prefix("10.1.0.0/16"));
  EXPECT_EQ(file->peers[0].endpoint->host, "anna.example");
}

TEST_F(QuickEditTest, KeepsEndsOfLines) {
  std::string text = "[Interface]\r\nListenPort = 1\r\n";
  device_.peers.clear();
  device_.private_key.reset();
  addresses_.clear();
  EXPECT_EQ(edited(text), "[Interface]\r\nListenPort = 51820\r\n");
  EXPECT_EQ(edited("[Interface]\nListenPort = 1"), "[Interface]\nListenPort = 51820\n");
}

}  // namespace
}  // namespace ginnel::config
