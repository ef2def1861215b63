#include "core/config/server_config.h"

#include <gtest/gtest.h>

namespace ginnel::config {
namespace {

// The n-th of as many keys as a test needs.
crypto::PublicKey key(std::uint8_t n) {
  std::array<std::uint8_t, crypto::kKeySize> bytes{};
  bytes.fill(n);
  return crypto::PublicKey(bytes);
}
std::string text_of(std::uint8_t n) { return key(n).to_base64(); }

// A value of --peer with the addresses in it.
std::string peer_flag(std::uint8_t n, std::string_view addresses) {
  return fmt::format("{},{}", text_of(n), addresses);
}

ServerPeer peer_file(std::string_view name, std::uint8_t n, std::string_view lines) {
  auto peer = parse_peer_file(fmt::format("peers.d/{}.toml", name),
                              fmt::format("public_key = \"{}\"\n{}\n", text_of(n), lines));
  EXPECT_TRUE(peer) << (peer ? "" : peer.error().message);
  return std::move(*peer);
}

struct Given {
  ServerFlags flags = {};
  std::string file = {};
  std::vector<ServerPeer> peers = {};
};

Result<ServerConfig> make(Given given) {
  auto document = TomlDocument::parse("server.toml", given.file);
  if (!document) return pass(std::move(document));
  ServerInputs inputs;
  inputs.flags = std::move(given.flags);
  inputs.file = &*document;
  inputs.peers = std::move(given.peers);
  inputs.generated_subnet6 = net::Prefix::parse("fd12:3456:789a:1::/64").value();
  return make_server_config(std::move(inputs));
}

ServerConfig good(Given given) {
  auto config = make(std::move(given));
  EXPECT_TRUE(config) << (config ? "" : config.error().message);
  return config ? std::move(*config) : ServerConfig();
}

std::string error_of(Given given) {
  const auto config = make(std::move(given));
  return config ? "" : config.error().message;
}

TEST(MakeServerConfig, NeedsNothing) {
  ServerInputs inputs;
  inputs.generated_subnet6 = net::Prefix::parse("fd12:3456:789a:1::/64").value();
  const auto config = make_server_config(std::move(inputs));
  ASSERT_TRUE(config);
  EXPECT_FALSE(config->private_key_file || config->private_key || config->interface ||
               config->outbound_interface || config->endpoint);
  EXPECT_EQ(config->listen, ListenAddress());
  EXPECT_EQ(config->listen.port, 51820);
  EXPECT_EQ(config->subnets.v4.to_string(), "10.200.100.0/24");
  EXPECT_EQ(config->subnets.v6->to_string(), "fd12:3456:789a:1::/64");
  EXPECT_EQ(config->own.v4.to_string(), "10.200.100.1");
  EXPECT_EQ(config->own.v6->to_string(), "fd12:3456:789a:1::1");
  EXPECT_EQ(config->mtu, 1420);
  EXPECT_TRUE(config->dns.empty() && config->dns_search.empty() && config->peers.empty());
  EXPECT_FALSE(config->client_to_client);
  EXPECT_FALSE(config->open_firewall);
  EXPECT_EQ(config->metrics_listen->to_string(), "127.0.0.1:9586");
}

TEST(MakeServerConfig, ReadsTheSeedsFileAsItStands) {
  const ServerConfig config =
      good({.file = "[server]\n"
                    "private_key_file = \"/etc/wirecage/server.key\"\n"
                    "listen_addr = \"0.0.0.0:51820\"\n"
                    "subnet = \"10.200.100.0/24\"\n"
                    "outbound_interface = \"eth0\"  # auto-detect if not specified\n"
                    "\n"
                    "[[peer]]\n"
                    "public_key = \"" +
                    text_of(1) +
                    "\"\n"
                    "allowed_ips = [\"10.200.100.2/32\"]\n"
                    "\n"
                    "[[peer]]\n"
                    "public_key = \"" +
                    text_of(2) +
                    "\"\n"
                    "allowed_ips = [\"10.200.100.3/32\"]\n"});
  EXPECT_EQ(config.private_key_file, "/etc/wirecage/server.key");
  EXPECT_FALSE(config.listen.address);  // Both families.
  EXPECT_EQ(config.outbound_interface, "eth0");
  ASSERT_EQ(config.peers.size(), 2u);
  EXPECT_EQ(config.peers[0].addresses[0].to_string(), "10.200.100.2");
  EXPECT_EQ(config.peers[1].public_key, key(2));
}

TEST(MakeServerConfig, ReadsTheSeedsFlagsAsTheyStand) {
  ServerFlags flags;
  flags.private_key_file = "/path/to/server.key";
  flags.listen = "0.0.0.0:51820";
  flags.subnet = "10.200.100.0/24";
  flags.peers = {text_of(1), peer_flag(2, "10.200.100.9/32,192.168.0.0/24"), text_of(3)};
  flags.peer_ips = {"10.200.100.2/32", "10.200.100.3"};
  flags.outbound_interface = "eth0";
  const ServerConfig config = good({.flags = flags});
  EXPECT_EQ(config.private_key_file, "/path/to/server.key");
  ASSERT_EQ(config.peers.size(), 3u);
  const auto allowed = [&](std::uint8_t n) {
    const ServerPeer* peer = config.find_peer(default_peer_name(key(n)));
    std::string text;
    for (const net::Prefix& prefix : peer->allowed_ips) text += prefix.to_string() + " ";
    return text;
  };
  EXPECT_EQ(allowed(1), "10.200.100.2/32 ");
  EXPECT_EQ(allowed(2), "10.200.100.9/32 192.168.0.0/24 ");
  EXPECT_EQ(allowed(3), "10.200.100.3/32 ");
}

TEST(MakeServerConfig, ReadsEveryKey) {
  const ServerConfig config = good(
      {.file =
           "[server]\nsubnet6 = \"2001:db8:7::/64\"\nmtu = 1380\nendpoint = \"vpn.example.org:7\"\n"
           "dns = [\"9.9.9.9\", \"2620:fe::fe\", \"home.arpa\"]\nclient_to_client = true\n"
           "interface = \"wg7\"\nmetrics_listen = \"[::1]:1234\"\nopen_firewall = true\n"
           "listen_addr = \"[2001:db8::1]:5\"\nallow = [\"any tcp\", \"any udp\"]\n"
           "deny = \"any tcp 25\"\nadmit = \"192.168.7.0/24 tcp 22\"\n"});
  EXPECT_EQ(config.own.v6->to_string(), "2001:db8:7::1");
  EXPECT_EQ(config.mtu, 1380);
  EXPECT_EQ(config.endpoint->to_string(0), "vpn.example.org:7");
  ASSERT_EQ(config.dns.size(), 2u);
  EXPECT_EQ(config.dns_search, std::vector<std::string>{"home.arpa"});
  EXPECT_TRUE(config.client_to_client);
  EXPECT_TRUE(config.open_firewall);
  EXPECT_EQ(config.rules.allow->size(), 2u);
  EXPECT_EQ(config.rules.deny[0].to_string(), "any tcp 25");
  EXPECT_EQ(config.admit[0].to_string(), "192.168.7.0/24 tcp 22");
  EXPECT_EQ(config.interface, "wg7");
  EXPECT_EQ(config.metrics_listen->to_string(), "[::1]:1234");
  EXPECT_EQ(config.listen.address->to_string(), "2001:db8::1");
}

TEST(MakeServerConfig, LetsTheServerAnswerNames) {
  EXPECT_FALSE(good({}).dns_builtin);
  EXPECT_TRUE(good({.file = "[server]\ndns = \"builtin\"\n"}).dns_builtin);
  const ServerConfig both = good({.file = "[server]\ndns = [\"builtin\", \"home.arpa\"]\n"});
  EXPECT_TRUE(both.dns_builtin && both.dns.empty());
  EXPECT_EQ(both.dns_search, std::vector<std::string>{"home.arpa"});
  ServerFlags flags;
  flags.dns = {"9.9.9.9"};
  EXPECT_FALSE(good({.flags = flags, .file = "[server]\ndns = \"builtin\"\n"}).dns_builtin);
}

TEST(MakeServerConfig, LetsFlagsWinOverTheFile) {
  ServerFlags flags;
  flags.subnet = "10.9.0.0/16";
  flags.subnet6 = "none";
  flags.mtu = "1000";
  flags.metrics_listen = "none";
  flags.dns = {"1.1.1.1"};
  flags.client_to_client = true;
  flags.open_firewall = false;
  flags.listen = "7";
  const ServerConfig config = good(
      {.flags = flags,
       .file = "[server]\nsubnet = \"10.8.0.0/16\"\nsubnet6 = \"fd00::/64\"\nmtu = 1300\ndns = "
               "\"9.9.9.9\"\n"
               "client_to_client = false\nopen_firewall = true\nlisten_addr = \"192.0.2.1:5\"\n"});
  EXPECT_EQ(config.subnets.v4.to_string(), "10.9.0.0/16");
  EXPECT_FALSE(config.subnets.v6 || config.own.v6);
  EXPECT_EQ(config.mtu, 1000);
  EXPECT_FALSE(config.metrics_listen);
  ASSERT_EQ(config.dns.size(), 1u);
  EXPECT_EQ(config.dns[0].to_string(), "1.1.1.1");
  EXPECT_TRUE(config.client_to_client);
  EXPECT_FALSE(config.open_firewall);
  EXPECT_EQ(config.listen, (ListenAddress{std::nullopt, 7}));
}

TEST(MakeServerConfig, TakesTheServersOwnAddressFromFlags) {
  struct Row {
    std::optional<std::string> subnet, ip, mask;
    std::string_view v4, own, own6;
  };
  const Row rows[] = {
      {std::nullopt, "10.9.0.5", std::nullopt, "10.9.0.0/24", "10.9.0.5", "fd12:3456:789a:1::5"},
      {std::nullopt, "10.9.1.5", "16", "10.9.0.0/16", "10.9.1.5", "fd12:3456:789a:1::105"},
      {"10.9.0.0/20", "10.9.1.5", std::nullopt, "10.9.0.0/20", "10.9.1.5", "fd12:3456:789a:1::105"},
      {"10.9.0.0/20", "10.9.1.5", "20", "10.9.0.0/20", "10.9.1.5", "fd12:3456:789a:1::105"},
  };
  for (const Row& row : rows) {
    ServerFlags flags;
    flags.subnet = row.subnet;
    flags.server_ip = row.ip;
    flags.subnet_mask = row.mask;
    const ServerConfig config = good({.flags = flags});
    EXPECT_EQ(config.subnets.v4.to_string(), row.v4);
    EXPECT_EQ(config.own.v4.to_string(), row.own);
    EXPECT_EQ(config.own.v6->to_string(), row.own6);
  }
}

TEST(MakeServerConfig, CompletesPeersAndSortsThem) {
  std::vector<ServerPeer> peers;
  peers.push_back(peer_file("zoe", 1, "addresses = ['10.200.100.9', 'fd12:3456:789a:1::9']"));
  peers.push_back(
      peer_file("anna", 2, "addresses = '10.200.100.2'\nallowed_ips = '192.168.7.0/24'"));
  peers.push_back(peer_file("site", 3, "allowed_ips = '172.16.0.0/16'"));
  peers.push_back(
      peer_file("range", 4, "addresses = '10.200.100.65'\nallowed_ips = '10.200.100.64/26'"));
  const ServerConfig config = good({.peers = std::move(peers)});
  const auto allowed = [&](std::size_t i) {
    std::string text = config.peers[i].name + ":";
    for (const net::Prefix& prefix : config.peers[i].allowed_ips) text += " " + prefix.to_string();
    return text;
  };
  ASSERT_EQ(config.peers.size(), 4u);
  EXPECT_EQ(allowed(0), "anna: 192.168.7.0/24 10.200.100.2/32");
  EXPECT_EQ(allowed(1), "range: 10.200.100.64/26");
  EXPECT_EQ(allowed(2), "site: 172.16.0.0/16");
  EXPECT_EQ(allowed(3), "zoe: 10.200.100.9/32 fd12:3456:789a:1::9/128");
  EXPECT_TRUE(config.peers[2].addresses.empty());
  EXPECT_EQ(config.find_peer("zoe"), &config.peers[3]);
  EXPECT_EQ(config.find_peer("nobody"), nullptr);
}

TEST(MakeServerConfig, LetsAPeerFlagMoveAPeerOfAFile) {
  ServerFlags flags;
  flags.peers = {peer_flag(1, "10.200.100.50/32")};
  std::vector<ServerPeer> peers;
  peers.push_back(peer_file("anna", 1, "addresses = '10.200.100.2'"));
  const ServerConfig config = good({.flags = flags, .peers = std::move(peers)});
  ASSERT_EQ(config.peers.size(), 1u);
  EXPECT_EQ(config.peers[0].name, "anna");
  EXPECT_EQ(config.peers[0].addresses[0].to_string(), "10.200.100.50");
}

TEST(MakeServerConfig, RefusesAFilesMistakeByFileLineKeyAndRemedy) {
  struct Row {
    std::string line;  // Under [server], on line 2.
    std::string message;
  };
  const Row rows[] = {
      {"listen_addr = 'here'",
       "listen_addr: \"here\" is not an address to listen on; write 0.0.0.0:51820 for all of them, "
       "or one like 192.0.2.1:51820"},
      {"listen_addr = '0.0.0.0:0'",
       "listen_addr: \"0.0.0.0:0\" is not an address to listen on; write 0.0.0.0:51820 for all of "
       "them, or one like 192.0.2.1:51820"},
      {"subnet = '10.0.0.1/24'", "subnet: 10.0.0.1/24 has host bits set; write 10.0.0.0/24"},
      {"subnet = '10.0.0.0/31'",
       "subnet: 10.0.0.0/31 is too small for a server and a client; write a /30 or larger"},
      {"subnet = 'fd00::/64'",
       "subnet: fd00::/64 is IPv6; write an IPv4 subnet like 10.200.100.0/24"},
      {"subnet6 = 'fd00::/122'",
       "subnet6: fd00::/122 has fewer addresses than 10.200.100.0/24; write a /120 or larger"},
      {"subnet6 = 'off'",
       "subnet6: \"off\" is not an IP address; write one like 192.0.2.1 or 2001:db8::1, or "
       "\"none\" to do without IPv6"},
      {"deny = ['private', '10.0.0.0/8 tcp 70000']",
       "deny: \"70000\" is no port; write numbers like 22,80-90"},
      {"admit = ['lan']",
       "admit: \"lan\" is no place; begin with an address, a prefix, any or private"},
      {"allow = 'the internet'",
       "allow: \"the\" is no place; begin with an address, a prefix, any or private"},
      {"mtu = 575", "mtu: must be a number from 576 to 65535, without quotes"},
      {"mtu = 65536", "mtu: must be a number from 576 to 65535, without quotes"},
      {"mtu = 1279",
       "mtu: 1279 is too small for IPv6; write 1280 or more, or subnet6 = \"none\" to do without "
       "IPv6"},
      {"endpoint = 'a b'",
       "endpoint: \"a b\" is not a host; write one like vpn.example.org, 192.0.2.1:51820 or "
       "[2001:db8::1]:51820"},
      {"dns = ['9.9.9']",
       "dns: \"9.9.9\" is neither a resolver's address nor a search domain; write addresses like "
       "9.9.9.9, or \"builtin\""},
      {"dns = ['builtin', '9.9.9.9']",
       "dns: \"builtin\" and other resolvers exclude each other; leave 9.9.9.9 out"},
      {"interface = 'wg/0'",
       "interface: \"wg/0\" cannot be an interface's name; use 1 to 15 letters, digits and _=+.-"},
      {"interface = 'sixteen-letters-'",
       "interface: \"sixteen-letters-\" cannot be an interface's name; use 1 to 15 letters, digits "
       "and _=+.-"},
      {"private_key_file = ''",
       "private_key_file: is not a path; write one like /etc/ginnel/server.key"},
      {"metrics_listen = '0.0.0.0:9586'",
       "metrics_listen: 0.0.0.0:9586 can be reached from outside, and metrics have no password; "
       "write 127.0.0.1:9586 and let a proxy with TLS ask there"},
      {"metrics_listen = '127.0.0.1'",
       "metrics_listen: \"127.0.0.1\" is not an address with a port; write 127.0.0.1:9586, or "
       "\"none\""},
      {"client_to_client = 'yes'", "client_to_client: must be true or false, without quotes"},
      {"listen = '0.0.0.0:51820'",
       "listen: unknown key in [server]; did you mean \"listen_addr\"?"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.line);
    EXPECT_EQ(error_of({.file = "[server]\n" + row.line + "\n"}), "server.toml:2: " + row.message);
  }
  EXPECT_EQ(error_of({.file = "[sever]\n"}),
            "server.toml:1: sever: unknown key; did you mean \"server\"?");
  EXPECT_EQ(error_of({.file = "server = 1\n"}),
            "server.toml:1: server: must be a table; write [server] above its keys");
}

TEST(MakeServerConfig, ChecksTheFileWhereAFlagWins) {
  ServerFlags flags;
  flags.mtu = "1400";
  EXPECT_EQ(error_of({.flags = flags, .file = "[server]\nmtu = 1\n"}),
            "server.toml:2: mtu: must be a number from 576 to 65535, without quotes");
}

TEST(MakeServerConfig, RefusesAFlagsMistakeByItsName) {
  struct Row {
    void (*give)(ServerFlags&);
    std::string_view message;
  };
  const Row rows[] = {
      {[](ServerFlags& f) { f.mtu = "big"; }, "--mtu: must be a number from 576 to 65535"},
      {[](ServerFlags& f) { f.mtu = "1279"; },
       "--mtu: 1279 is too small for IPv6; write 1280 or more, or subnet6 = \"none\" to do without "
       "IPv6"},
      {[](ServerFlags& f) { f.subnet = "10.0.0.0/31"; },
       "--subnet: 10.0.0.0/31 is too small for a server and a client; write a /30 or larger"},
      {[](ServerFlags& f) { f.private_key = "secret"; },
       "--private-key: not a private key: expected 44 characters of base64; make one with `ginnel "
       "genkey`"},
      {[](ServerFlags& f) {
         f.private_key = text_of(0);
         f.private_key_file = "x";
       },
       "--private-key: cannot go with --private-key-file; keep the file"},
      {[](ServerFlags& f) { f.subnet_mask = "24"; },
       "--subnet-mask: goes with --server-ip; or write --subnet PREFIX alone"},
      {[](ServerFlags& f) {
         f.server_ip = "10.0.0.1";
         f.subnet_mask = "31";
       },
       "--subnet-mask: must be a number from 8 to 30"},
      {[](ServerFlags& f) {
         f.server_ip = "10.0.0.1";
         f.subnet_mask = "16";
         f.subnet = "10.0.0.0/24";
       },
       "--subnet-mask: contradicts --subnet; leave one of them out"},
      {[](ServerFlags& f) { f.server_ip = "10.0.0.0"; },
       "--server-ip: 10.0.0.0 is not an address for a host of the subnet 10.0.0.0/24; write one "
       "that is, like 10.0.0.1"},
      {[](ServerFlags& f) {
         f.server_ip = "10.0.1.1";
         f.subnet = "10.0.0.0/24";
       },
       "--server-ip: 10.0.1.1 is not an address for a host of the subnet 10.0.0.0/24; write one "
       "that is, like 10.0.0.1"},
      {[](ServerFlags& f) { f.server_ip = "fd00::1"; },
       "--server-ip: must be an IPv4 address like 10.200.100.1"},
      {[](ServerFlags& f) { f.dns = {"9.9.9.9", "x y"}; },
       "--dns: \"x y\" is neither a resolver's address nor a search domain; write addresses like "
       "9.9.9.9, or \"builtin\""},
      {[](ServerFlags& f) { f.dns = {"builtin", "9.9.9.9"}; },
       "--dns: \"builtin\" and other resolvers exclude each other; leave 9.9.9.9 out"},
      {[](ServerFlags& f) { f.peers = {"key"}; },
       "--peer: number 1: not a public key: expected 44 characters of base64; `ginnel pubkey` "
       "makes it from "
       "the private key"},
      {[](ServerFlags& f) { f.peers = {peer_flag(1, "10.200.100.2/32"), text_of(2)}; },
       "--peer: number 2 has no address; add --peer-ip ADDRESS, or write --peer KEY,ADDRESS"},
      {[](ServerFlags& f) { f.peers = {peer_flag(1, "")}; },
       "--peer: number 1: \"\" is not an IP address; write one like 192.0.2.1 or 2001:db8::1"},
      {[](ServerFlags& f) { f.peer_ips = {"10.200.100.2/32"}; },
       "--peer-ip 10.200.100.2/32: there is no --peer for it; add --peer KEY"},
      {[](ServerFlags& f) {
         f.peers = {text_of(1)};
         f.peer_ips = {"10.200.100.2/33"};
       },
       "--peer-ip: \"10.200.100.2/33\": the prefix length must be a number from 0 to 32"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.message);
    ServerFlags flags;
    row.give(flags);
    EXPECT_EQ(error_of({.flags = flags}), row.message);
  }
}

TEST(MakeServerConfig, RefusesPeersThatCannotBeTogether) {
  struct Row {
    std::string_view a, b;  // What stands in the files of anna and bob.
    std::string_view message;
  };
  const std::string_view anna = "addresses = '10.200.100.2'";
  const Row rows[] = {
      {anna, anna,
       "peers.d/bob.toml:2: addresses: 10.200.100.2/32 belongs to peer \"anna\" "
       "(peers.d/anna.toml:2) too; an address belongs to one peer only"},
      {"addresses = ['10.200.100.2', 'fd12:3456:789a:1::2']",
       "addresses = ['10.200.100.3', 'fd12:3456:789a:1::2']",
       "peers.d/bob.toml:2: addresses: fd12:3456:789a:1::2/128 belongs to peer \"anna\" "
       "(peers.d/anna.toml:2) too; an address belongs to one peer only"},
      {"addresses = '10.200.100.2'\nenabled = false", anna,
       "peers.d/bob.toml:2: addresses: 10.200.100.2/32 belongs to peer \"anna\" "
       "(peers.d/anna.toml:2) too; an address belongs to one peer only"},
      {"addresses = '10.200.100.70'", "enabled = true\nallowed_ips = '10.200.100.64/26'",
       "peers.d/anna.toml:2: addresses: 10.200.100.70/32 overlaps 10.200.100.64/26 of peer \"bob\" "
       "(peers.d/bob.toml:3); an address belongs to one peer only"},
      {"addresses = '10.200.100.2'\nallowed_ips = ['192.168.0.0/16', '192.168.1.0/24']",
       "allowed_ips = '192.168.1.128/25'",
       "peers.d/bob.toml:2: allowed_ips: 192.168.1.128/25 overlaps 192.168.1.0/24 of peer \"anna\" "
       "(peers.d/anna.toml:3); an address belongs to one peer only"},
      {"addresses = '10.9.9.2'", "addresses = '10.200.100.3'",
       "peers.d/anna.toml:2: addresses: 10.9.9.2 is outside the subnet 10.200.100.0/24 and "
       "fd12:3456:789a:1::/64; give it an address in there, or change the subnet"},
      {"allowed_ips = '10.9.9.2/32'", "addresses = '10.200.100.3'",
       "peers.d/anna.toml:2: allowed_ips: 10.9.9.2/32 is outside the subnet 10.200.100.0/24 and "
       "fd12:3456:789a:1::/64; give it an address in there, or change the subnet"},
      {"addresses = '10.200.100.255'", "addresses = '10.200.100.3'",
       "peers.d/anna.toml:2: addresses: 10.200.100.255 is not for hosts: it is the first or last "
       "address of the subnet 10.200.100.0/24; choose one between"},
      {"addresses = '10.200.100.0'", "addresses = '10.200.100.3'",
       "peers.d/anna.toml:2: addresses: 10.200.100.0 is not for hosts: it is the first or last "
       "address of the subnet 10.200.100.0/24; choose one between"},
      {"addresses = '10.200.100.1'", "addresses = '10.200.100.3'",
       "peers.d/anna.toml:2: addresses: 10.200.100.1/32 takes in the server's own address "
       "10.200.100.1; allow only what is behind this peer"},
      {"allowed_ips = '0.0.0.0/0'", "addresses = '10.200.100.3'",
       "peers.d/anna.toml:2: allowed_ips: 0.0.0.0/0 takes in the server's own address "
       "10.200.100.1; allow only what is behind this peer"},
      {"addresses = 'fd12:3456:789a:1::1'", "addresses = '10.200.100.3'",
       "peers.d/anna.toml:2: addresses: fd12:3456:789a:1::1/128 takes in the server's own address "
       "fd12:3456:789a:1::1; allow only what is behind this peer"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.message);
    std::vector<ServerPeer> peers;
    peers.push_back(peer_file("bob", 2, row.b));
    peers.push_back(peer_file("anna", 1, row.a));
    EXPECT_EQ(error_of({.peers = std::move(peers)}), row.message);
  }
}

TEST(MakeServerConfig, RefusesTheSameKeyOrNameTwice) {
  std::vector<ServerPeer> same_key;
  same_key.push_back(peer_file("anna", 1, "addresses = '10.200.100.2'"));
  same_key.push_back(peer_file("bob", 1, "addresses = '10.200.100.3'"));
  EXPECT_EQ(
      error_of({.peers = std::move(same_key)}),
      "peers.d/bob.toml:1: public_key: the same public key as peer \"anna\" (peers.d/anna.toml:1); "
      "remove one of them");

  std::vector<ServerPeer> same_name;
  same_name.push_back(peer_file("anna", 1, "addresses = '10.200.100.2'"));
  EXPECT_EQ(error_of({.file = "[[peer]]\nname = 'anna'\npublic_key = '" + text_of(2) +
                              "'\naddresses = '10.200.100.3'\n",
                      .peers = std::move(same_name)}),
            "peer \"anna\" (server.toml:1): the same name as peer \"anna\" (peers.d/anna.toml); "
            "rename one of them");
}

TEST(MakeServerConfig, TakesAsManyPeersAsItsLimit) {
  for (const std::size_t count : {kMaxServerPeers - 1, kMaxServerPeers, kMaxServerPeers + 1}) {
    SCOPED_TRACE(count);
    Given given;
    given.flags.subnet = "10.0.0.0/8";
    for (std::size_t i = 0; i < count; ++i) {
      ServerPeer peer;
      std::array<std::uint8_t, crypto::kKeySize> bytes{};
      store<Le32>(bytes, static_cast<std::uint32_t>(i + 1));
      peer.public_key = crypto::PublicKey(bytes);
      peer.name = fmt::format("p{}", i);
      peer.addresses = {net::Address::v4({10, 0, 0, 0}).plus(i + 2)};
      given.peers.push_back(std::move(peer));
    }
    EXPECT_EQ(
        error_of(std::move(given)),
        count <= kMaxServerPeers ? "" : "there are 100001 peers; one server takes at most 100000");
  }
}

TEST(ListenAddress, ReadsItsForms) {
  struct Row {
    std::string_view text;
    std::string_view address;  // "any": every one; empty: refused.
    std::uint16_t port;
  };
  const Row rows[] = {
      {"0.0.0.0:5", "any", 5},
      {"[::]:5", "any", 5},
      {":5", "any", 5},
      {"5", "any", 5},
      {"0.0.0.0", "any", 51820},
      {"192.0.2.1", "192.0.2.1", 51820},
      {"192.0.2.1:5", "192.0.2.1", 5},
      {"[2001:db8::1]:5", "2001:db8::1", 5},
      {"65535", "any", 65535},
      {"65536", "", 0},
      {"0", "", 0},
      {":0", "", 0},
      {"localhost:5", "", 0},
      {"", "", 0},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.text);
    const auto listen = ListenAddress::parse(row.text);
    ASSERT_EQ(listen.has_value(), !row.address.empty());
    if (!listen) continue;
    EXPECT_EQ(listen->address ? listen->address->to_string() : "any", row.address);
    EXPECT_EQ(listen->port, row.port);
  }
}

TEST(CheckOwnKey, RefusesAPeerWithTheServersKey) {
  std::vector<ServerPeer> peers;
  peers.push_back(peer_file("anna", 1, "addresses = '10.200.100.2'"));
  const ServerConfig config = good({.peers = std::move(peers)});
  EXPECT_TRUE(check_own_key(config, key(2)));
  EXPECT_EQ(check_own_key(config, key(1)).error().message,
            "peer \"anna\" (peers.d/anna.toml): its public key is the server's own; write the "
            "client's");
}

TEST(AddressPoolOfAConfig, KeepsTheAddressesOfEveryPeerDisabledOnesToo) {
  std::vector<ServerPeer> peers;
  peers.push_back(peer_file("anna", 1, "addresses = '10.200.100.2'\nenabled = false"));
  peers.push_back(peer_file("bob", 2, "addresses = 'fd12:3456:789a:1::4'"));
  AddressPool pool = address_pool(good({.peers = std::move(peers)}));
  EXPECT_EQ(pool.allocate()->v4.to_string(), "10.200.100.3");
  EXPECT_EQ(pool.allocate()->v4.to_string(), "10.200.100.5");
}

}  // namespace
}  // namespace ginnel::config
