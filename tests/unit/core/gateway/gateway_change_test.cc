#include "core/gateway/gateway_change.h"

#include <gtest/gtest.h>

namespace ginnel::gateway {
namespace {

constexpr std::string_view kFile = R"([Interface]
PrivateKey = yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=
Address = 10.2.0.2/32
DNS = 10.2.0.1
[Peer]
PublicKey = xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=
AllowedIPs = 0.0.0.0/0
Endpoint = 198.51.100.1:51820
)";

GatewayConfig config_of(std::vector<std::pair<std::string, std::string>> files,
                        GatewayFlags flags = {.lan = {"eth1"}}) {
  std::vector<GatewayFile> parsed;
  for (auto& [interface, text] : files) {
    auto file = config::parse_quick_file(interface + ".conf", text);
    EXPECT_TRUE(file) << (file ? "" : file.error().message);
    parsed.push_back({interface + ".conf", interface, std::move(*file)});
  }
  auto config = make_gateway_config(std::move(parsed), flags);
  EXPECT_TRUE(config) << (config ? "" : config.error().message);
  return std::move(*config);
}

std::string with(std::string_view line, std::string_view instead) {
  std::string text(kFile);
  const std::size_t at = text.find(line);
  return text.replace(at, text.find('\n', at) - at, instead);
}

TEST(GatewayChange, NamesTheKeysThatDiffer) {
  struct Row {
    std::string text;
    std::vector<std::string> keys;
    bool greets;
  };
  const Row rows[] = {
      {std::string(kFile), {}, false},
      {with("[Interface]", "# a comment\n[Interface]"), {}, false},
      {with("[Peer]", "[Peer]\nPersistentKeepalive = off"), {}, false},
      {with("[Peer]", "[Peer]\nPersistentKeepalive = 25"), {"PersistentKeepalive"}, false},
      {with("Address", "Address = 10.2.0.3/32\nMTU = 1300"), {"Address", "MTU"}, false},
      {with("DNS", ""), {"DNS"}, false},
      {with("DNS", "ListenPort = 51821\nDNS = 10.2.0.9"), {"DNS", "ListenPort"}, false},
      {with("PrivateKey", "PrivateKey = gN65BkIKy1eCE9pP1wdc8ROUtkHLF2PfAqYdyYBz6EA="),
       {"PrivateKey"},
       true},
      {with("PublicKey", "PublicKey = gN65BkIKy1eCE9pP1wdc8ROUtkHLF2PfAqYdyYBz6EA="),
       {"PublicKey"},
       true},
      {with("[Peer]", "[Peer]\nPresharedKey = gN65BkIKy1eCE9pP1wdc8ROUtkHLF2PfAqYdyYBz6EA="),
       {"PresharedKey"},
       true},
      {with("AllowedIPs", "AllowedIPs = 0.0.0.0/0, ::/0"), {"AllowedIPs"}, false},
      {with("Endpoint", "Endpoint = vpn.example:51820"), {"Endpoint"}, true},
  };
  const GatewayConfig before = config_of({{"nl", std::string(kFile)}});
  for (const Row& row : rows) {
    SCOPED_TRACE(row.text);
    const GatewayConfig after = config_of({{"nl", row.text}});
    const auto keys = changed_keys(before.tunnels.front(), after.tunnels.front());
    EXPECT_EQ(keys, row.keys);
    EXPECT_EQ(changes_session(keys), row.greets);
  }
}

TEST(GatewayChange, KeepsTheSameTunnels) {
  const std::string file(kFile);
  const GatewayConfig both = config_of({{"nl", file}, {"se", file}});
  EXPECT_TRUE(check_same_tunnels(both, config_of({{"nl", file}, {"se", file}})));
  const Status turned = check_same_tunnels(both, config_of({{"se", file}, {"nl", file}}));
  ASSERT_FALSE(turned);
  EXPECT_EQ(turned.error().message,
            "nl.conf: it stands for another interface than nl; start the gateway again");
  EXPECT_FALSE(check_same_tunnels(both, config_of({{"nl", file}})));
}

}  // namespace
}  // namespace ginnel::gateway
