#include "core/config/client_file.h"

#include <gtest/gtest.h>

#include "support/seeded_rng.h"

namespace ginnel::config {
namespace {

class ClientFile : public testing::Test {
 protected:
  ClientFile() {
    config.mtu = 1420;
    config.listen.port = 51820;
    peer.name = "anna";
    peer.source = "peers.d/anna.toml";
    peer.public_key = private_key.public_key();
    peer.addresses = {net::Address::parse("10.200.100.2").value(),
                      net::Address::parse("fd12:3456:789a:1::2").value()};
    inputs.server_key = crypto::PrivateKey::generate(rng).public_key();
    inputs.endpoint = HostPort::parse("vpn.example.org").value();
  }

  test::SeededRng rng{1};
  crypto::PrivateKey private_key = crypto::PrivateKey::generate(rng);
  ServerConfig config;
  ServerPeer peer;
  ClientFileInputs inputs;
};

TEST_F(ClientFile, HasWhatAClientNeedsAndNothingElse) {
  peer.private_key = private_key.duplicate();
  peer.preshared_key = crypto::PresharedKey::generate(rng);
  inputs.dns = {net::Address::parse("9.9.9.9").value(), net::Address::parse("2620:fe::fe").value()};
  config.dns_search = {"home.arpa"};
  EXPECT_EQ(client_file(config, peer, inputs).value(),
            "[Interface]\n"
            "PrivateKey = " +
                private_key.expose_as_base64() +
                "\n"
                "Address = 10.200.100.2/32, fd12:3456:789a:1::2/128\n"
                "DNS = 9.9.9.9, 2620:fe::fe, home.arpa\n"
                "MTU = 1420\n"
                "\n"
                "[Peer]\n"
                "PublicKey = " +
                inputs.server_key.to_base64() +
                "\n"
                "PresharedKey = " +
                peer.preshared_key->expose_as_base64() +
                "\n"
                "AllowedIPs = 0.0.0.0/0, ::/0\n"
                "Endpoint = vpn.example.org:51820\n"
                "PersistentKeepalive = 25\n");
}

TEST_F(ClientFile, HasAPlaceForAKeyThatIsNotKnownHere) {
  peer.addresses.pop_back();
  peer.persistent_keepalive_seconds = 0;
  inputs.endpoint = HostPort::parse("[2001:db8::1]:7").value();
  EXPECT_EQ(client_file(config, peer, inputs).value(),
            "[Interface]\n"
            "# PrivateKey = the one that belongs to " +
                peer.public_key.to_base64() +
                "\n"
                "Address = 10.200.100.2/32\n"
                "MTU = 1420\n"
                "\n"
                "[Peer]\n"
                "PublicKey = " +
                inputs.server_key.to_base64() +
                "\n"
                "AllowedIPs = 0.0.0.0/0, ::/0\n"
                "Endpoint = [2001:db8::1]:7\n");
}

TEST_F(ClientFile, NeedsAnAddress) {
  peer.addresses.clear();
  EXPECT_EQ(client_file(config, peer, inputs).error().message,
            "peer \"anna\" (peers.d/anna.toml): has no address in the tunnel; add addresses = "
            "[\"...\"]");
}

}  // namespace
}  // namespace ginnel::config
