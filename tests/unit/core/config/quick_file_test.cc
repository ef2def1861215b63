#include "core/config/quick_file.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "core/config/quick_lines.h"

namespace ginnel::config {
namespace {

constexpr std::string_view kKeyA = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";
constexpr std::string_view kKeyB = "TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0=";

// "@A" and "@B" stand for the keys.
std::string with_keys(std::string text) {
  for (const auto& [mark, key] : {std::pair("@A", kKeyA), std::pair("@B", kKeyB)}) {
    for (std::size_t at; (at = text.find(mark)) != std::string::npos;) text.replace(at, 2, key);
  }
  return text;
}

std::string error_of(const std::string& text) {
  const auto file = parse_quick_file("wg0.conf", with_keys(text));
  return file ? "" : file.error().message;
}

// The grammar, row by row; refused ones with the beginning of what is said. What stock wg and
// wg-quick say to the same texts is compared by tests/netns/up_accepts_what_wg_quick_does.sh.
TEST(QuickFile, AcceptsAndRefusesAsItsTwoReadersDo) {
  struct Row {
    std::string text;
    std::string error;  // Empty: accepted.
  };
  const Row rows[] = {
      {"", ""},
      {"\n# comment\n   \n", ""},
      {"[Interface]", ""},
      {"[INTERFACE]\nADDRESS=10.0.0.1\n", ""},
      {"[Interface] # c\nAddress = 10.0.0.1/24, fd00::1/64 10.1.0.1 # c\n", ""},
      {"[Inter face]\nListen Port = 5 1 8 2 0\n", ""},
      {"[Inter face]\nAddress = 10.0.0.1\n", "wg0.conf:2: address: belongs into [Interface]"},
      {"[Interface]\nM T U = 1400\n", "wg0.conf:2: mtu: belongs into"},
      {"Address = 10.0.0.1\n", "wg0.conf:1: \"address\" stands before any section"},
      {"[Interface]\n;comment\n", "wg0.conf:2: ;comment: unknown in [Interface]; comments begin"},
      {"[Foo]\n", "wg0.conf:1: \"[foo]\" is no section"},
      {"[Interface\n", "wg0.conf:1: \"[interface\" is no section"},
      {"\xEF\xBB\xBF[Interface]\n", "wg0.conf:1: begins with a byte order mark, which wg"},
      {std::string("[Interface]\nMTU=14\0\n", 19), "wg0.conf:2: a zero byte"},
      {"[Interface]\nAddress\n", "wg0.conf:2: Address: there is no '='"},
      {"[Interface]\nMTU\n", "wg0.conf:2: MTU: there is no '='"},
      {"[Interface]\nPostUp # x\n", "wg0.conf:2: PostUp: there is no '='"},
      {"[Interface]\nSaveConfig\n", "wg0.conf:2: SaveConfig: there is no '='"},
      {"[Interface]\nDNS\nTable\nPreDown\nPostDown\n", ""},
      {"[Interface]\nAddress =\n", ""},
      {"[Interface]\nAddress = ,,10.0.0.1,\n", ""},
      {"[Interface]\nAddress = 10.0.0.1/33\n", "wg0.conf:2: Address: \"10.0.0.1/33\": the length"},
      {"[Interface]\nAddress = 10.0.0.256\n", "wg0.conf:2: Address: \"10.0.0.256\" is no address"},
      {"[Interface]\nAddress = host.example\n", "wg0.conf:2: Address: \"host.example\" is no"},
      {"[Interface]\nAddress = 10.0.0.1/255.255.0.0\n", ""},
      {"[Interface]\nAddress = 10.0.0.1/255.0.255.0\n", "wg0.conf:2: Address:"},
      {"[Interface]\nMTU = 0x58c\n", ""},
      {"[Interface]\nMTU = 1420 bytes\n", "wg0.conf:2: MTU: \"1420 bytes\" is no number"},
      {"[Interface]\nMTU = 0\n", "wg0.conf:2: MTU"},
      {"[Interface]\nMTU =\n", ""},
      {"[Interface]\nSaveConfig = TRUE\n", ""},
      {"[Interface]\nSaveConfig = yes\n", "wg0.conf:2: SaveConfig: \"yes\" is neither"},
      {"[Interface]\nSaveConfig =\n", "wg0.conf:2: SaveConfig"},
      {"[Interface]\nDNS = 1.1.1.1, fd00::1, example.org\n", ""},
      {"[Interface]\nPrivateKey = @A\n", ""},
      {"[Interface]\nPrivateKey = AAAA\n", "wg0.conf:2: PrivateKey: "},
      {"[Interface]\nPrivateKey =\n", "wg0.conf:2: PrivateKey: there is no value"},
      {"[Interface]\nListenPort = 65535\n", ""},
      {"[Interface]\nListenPort = 65536\n", ""},
      {"[Interface]\nListenPort = 2147483647\n", ""},
      {"[Interface]\nListenPort = 2147483648\n", "wg0.conf:2: ListenPort: \"2147483648\" is no"},
      {"[Interface]\nListenPort = 4294967296\n", ""},
      {"[Interface]\nListenPort = 18446744073709551616\n", "wg0.conf:2: ListenPort"},
      {"[Interface]\nListenPort = 051820\n", ""},
      {"[Interface]\nListenPort = 0x50\n", "wg0.conf:2: ListenPort"},
      {"[Interface]\nListenPort = -1\n", "wg0.conf:2: ListenPort"},
      {"[Interface]\nListenPort = domain\n", ""},
      {"[Interface]\nFwMark = 0xffffffff\nFwMark = oFf\nFwMark=010\n", ""},
      {"[Interface]\nFwMark = 0x100000000\n", "wg0.conf:2: FwMark"},
      {"[Interface]\nFwMark = 0XFF\n", "wg0.conf:2: FwMark"},
      {"[Interface]\nFwMark = 0x\n", "wg0.conf:2: FwMark"},
      {"[Interface]\nFwMark = -1\n", "wg0.conf:2: FwMark"},
      {"[Interface]\nPublicKey = @A\n", "wg0.conf:2: publickey: belongs into [Peer]"},
      {"[Peer]\n", "wg0.conf:1: [Peer]: the PublicKey line is missing"},
      {"[Peer]\nPublicKey=@A\nPublicKey=@B\n", ""},
      {"[Peer]\nPublicKey=@A\nAddress=10.0.0.1\n", "wg0.conf:3: address: belongs into [Interface]"},
      {"[Peer]\nPublicKey=@A\nPostUp=x\n", "wg0.conf:3: postup: belongs into [Interface]"},
      {"[Peer]\nPublicKey=@A\nPresharedKey=@B\n", ""},
      {"[Peer]\nPublicKey=@A\nPresharedKey=x\n", "wg0.conf:3: PresharedKey"},
      {"[Peer]\nPublicKey=@A\nAllowedIPs=10.0.0.1/8, ::/0\nAllowedIPs=10.0.0.2\n", ""},
      {"[Peer]\nPublicKey=@A\nAllowedIPs=+10.0.0.0/8,-11.0.0.0/8\n", ""},
      {"[Peer]\nPublicKey=@A\nAllowedIPs=\n", "wg0.conf:3: AllowedIPs: there is no value"},
      {"[Peer]\nPublicKey=@A\nAllowedIPs=10.0.0.0/8,\n", "wg0.conf:3: AllowedIPs: a comma with"},
      {"[Peer]\nPublicKey=@A\nAllowedIPs=10.0.0.0/33\n", "wg0.conf:3: AllowedIPs: \"10.0.0.0/33\""},
      {"[Peer]\nPublicKey=@A\nAllowedIPs=10/8\n", "wg0.conf:3: AllowedIPs: \"10/8\" is no range"},
      {"[Peer]\nPublicKey=@A\nEndpoint=a.example:1\n", ""},
      {"[Peer]\nPublicKey=@A\nEndpoint=[2001:db8::1]:domain\n", ""},
      {"[Peer]\nPublicKey=@A\nEndpoint=2001:db8::1:51820\n", ""},
      {"[Peer]\nPublicKey=@A\nEndpoint=1.2.3.4\n", "wg0.conf:3: Endpoint: \"1.2.3.4\" is no end"},
      {"[Peer]\nPublicKey=@A\nEndpoint=1.2.3.4:\n", "wg0.conf:3: Endpoint"},
      {"[Peer]\nPublicKey=@A\nEndpoint=:1\n", "wg0.conf:3: Endpoint"},
      {"[Peer]\nPublicKey=@A\nEndpoint=[::1]1\n", "wg0.conf:3: Endpoint"},
      {"[Peer]\nPublicKey=@A\nEndpoint=[::1\n", "wg0.conf:3: Endpoint"},
      {"[Peer]\nPublicKey=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", ""},
      {"[Peer]\nPublicKey=@A\nPersistentKeepalive=OFF\n", ""},
      {"[Peer]\nPublicKey=@A\nPersistentKeepalive=65535\n", ""},
      {"[Peer]\nPublicKey=@A\nPersistentKeepalive=65536\n", "wg0.conf:3: PersistentKeepalive"},
      {"[Peer]\nPublicKey=@A\nPersistentKeepalive=25s\n", "wg0.conf:3: PersistentKeepalive"},
      // differs: stock gives the prefix to the last one without a word.
      {"[Peer]\nPublicKey=@A\nAllowedIPs=10.0.0.0/8\n[Peer]\nPublicKey=@B\nAllowedIPs=10.1.0.0/8\n",
       "wg0.conf:6: AllowedIPs: 10.0.0.0/8 is in line 3 as well"},
      {"[Peer]\nPublicKey=@A\nAllowedIPs=10.0.0.0/8\n[Peer]\nPublicKey=@A\nAllowedIPs=10.0.0.0/8\n",
       ""},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.text);
    const std::string error = error_of(row.text);
    EXPECT_EQ(error.substr(0, std::max<std::size_t>(row.error.size(), 1)), row.error) << error;
  }
}

TEST(QuickFile, GivesEachReaderItsValues) {
  const auto file = parse_quick_file("wg0.conf", with_keys(R"(
[interface]
PrivateKey = @A
Address = 10.0.0.2/24, fd00::2/64
address = 10.1/16
ListenPort = 51820 # The usual one.
MTU = 1300
MTU = 1400
DNS = 10.0.0.1,example.org fd00::1
Table = 1234
FwMark = 0xca6c
SaveConfig = true
PostUp = first %i # still the first
PreUp = before
[Peer]
PublicKey = @B
AllowedIPs = 10.0.0.7/24, 0.0.0.0/0
Endpoint = [2001:db8::1]:51821
PersistentKeepalive = 25
[Interface]
PostUp = second; x=1
)"));
  ASSERT_TRUE(file.has_value()) << file.error().message;
  std::vector<std::string> addresses;
  for (const auto& address : file->addresses) addresses.push_back(address.to_string());
  EXPECT_EQ(addresses, (std::vector<std::string>{"10.0.0.2/24", "fd00::2/64", "10.1.0.0/16"}));
  EXPECT_EQ(file->dns_servers, (std::vector<std::string>{"10.0.0.1", "fd00::1"}));
  EXPECT_EQ(file->search_domains, std::vector<std::string>{"example.org"});
  EXPECT_EQ(file->mtu, 1400u);
  EXPECT_EQ(file->table, "1234");
  EXPECT_EQ(file->fwmark, 0xca6cu);
  EXPECT_EQ(file->listen_port, "51820");
  EXPECT_TRUE(file->save_config);
  EXPECT_EQ(file->hooks.pre_up, (std::vector<QuickHook>{{"before", 14}}));
  EXPECT_EQ(file->hooks.post_up,
            (std::vector<QuickHook>{{"first %i # still the first", 13}, {"second; x=1", 21}}));
  ASSERT_EQ(file->peers.size(), 1u);
  const QuickPeer& peer = file->peers.front();
  EXPECT_EQ(peer.public_key.to_base64(), kKeyB);
  EXPECT_EQ(peer.endpoint, (QuickEndpoint{.host = "2001:db8::1", .port = "51821"}));
  EXPECT_EQ(peer.persistent_keepalive_seconds, 25);
  ASSERT_EQ(peer.allowed_ips.size(), 2u);
  EXPECT_EQ(peer.allowed_ips[0].prefix.to_string(), "10.0.0.0/24");
}

// What stock tools make of a value, where people would make something else of it.
TEST(QuickFile, SaysWhatAnOddValueIsTakenAs) {
  struct Row {
    std::string line;
    std::string oddity;  // Empty: nothing is said.
  };
  const std::string taken = ", as wg-quick takes it; write that, or what was meant";
  const Row rows[] = {
      {"Address = 10.0.0.1/24 fd00::1/64 10.0.0.2/255.255.255.0 10.0.0.3", ""},
      {"Address = 10.0.0.1, 010.0.0.1/24", "Address: \"010.0.0.1/24\" is taken as 8.0.0.1/24"},
      {"Address = 10.1/16", "Address: \"10.1/16\" is taken as 10.1.0.0/16"},
      {"Address = 0x0a.7", "Address: \"0x0a.7\" is taken as 10.7.0.0/32"},
      {"Address = 10.0.0.1/030", "Address: \"10.0.0.1/030\" is taken as 10.0.0.1/24"},
      {"Address = 10.0.0.1/255.0377", "Address: \"10.0.0.1/255.0377\" is taken as 10.0.0.1/16"},
      {"Address = fd00::1/255.255", "Address: \"fd00::1/255.255\" is taken as fd00::1/16"},
      {"Address = fd00::1/+64", "Address: \"fd00::1/+64\" is taken as fd00::1/64"},
      {"Address = default", "Address: \"default\" is taken as no address at all"},
      {"MTU = 1300", ""},
      {"MTU = 01300", "MTU: \"01300\" is taken as 704"},
      {"MTU = +1300", "MTU: \"+1300\" is taken as 1300"},
      {"DNS = 10.0.0.1 fd00::1 a.example 1.1.1.1.1", ""},
      {"DNS = 010.0.0.1", "DNS: \"010.0.0.1\" is taken as 8.0.0.1"},
      {"DNS = 10.1", "DNS: \"10.1\" is taken as 10.0.0.1"},
      {"ListenPort = 65535", ""},
      {"ListenPort = 051820", ""},
      {"ListenPort = domain", ""},
      {"ListenPort = 65536", "ListenPort: \"65536\" is taken as 0"},
      {"ListenPort = 117355", "ListenPort: \"117355\" is taken as 51819"},
      {"ListenPort = +51820", "ListenPort: \"+51820\" is taken as 51820"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.line);
    const auto file = parse_quick_file("wg0.conf", "[Interface]\n" + row.line + "\n");
    ASSERT_TRUE(file.has_value()) << file.error().message;
    ASSERT_EQ(file->warnings.size(), row.oddity.empty() ? 0u : 1u);
    if (!row.oddity.empty()) {
      EXPECT_EQ(file->warnings[0], "wg0.conf:2: " + row.oddity + taken);
    }
  }
}

TEST(QuickFile, TakesOddEndpointsForWhatTheyAre) {
  struct Row {
    std::string written;
    QuickEndpoint meant;
    bool is_odd = false;
  };
  const Row rows[] = {
      {"192.0.2.9:51820", {"192.0.2.9", "51820"}, false},
      {"[2001:db8::9]:51820", {"2001:db8::9", "51820"}, false},
      {"[fe80::1%eth0]:domain", {"fe80::1%eth0", "domain"}, false},
      {"vpn.example:00080", {"vpn.example", "80"}, false},
      {"1.example:80", {"1.example", "80"}, false},
      {"vpn.example:117355", {"vpn.example", "51819"}, true},
      {"[2001:db8::9]:65537", {"2001:db8::9", "1"}, true},
      {"010.0.0.1:80", {"8.0.0.1", "80"}, true},
      {"10.1:80", {"10.0.0.1", "80"}, true},
      {"3221225993:80", {"192.0.2.9", "80"}, true},
      {"256.0.0.1:80", {"256.0.0.1", "80"}, false},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.written);
    const auto file = parse_quick_file(
        "wg0.conf", with_keys("[Peer]\nPublicKey = @A\nEndpoint = " + row.written + "\n"));
    ASSERT_TRUE(file.has_value()) << file.error().message;
    EXPECT_EQ(file->peers[0].endpoint, row.meant);
    EXPECT_EQ(file->warnings.size(), row.is_odd ? 1u : 0u);
  }
}

// As wg-quick does it, which takes the key for the value.
TEST(QuickFile, TakesALineWithoutEqualsForItsOwnValue) {
  const auto file = parse_quick_file(
      "wg0.conf", "[Interface]\nDNS # none\ndns = 10.0.0.1\nTable\nPreDown\npostdown\n");
  ASSERT_TRUE(file.has_value());
  EXPECT_EQ(file->search_domains, std::vector<std::string>{"DNS"});
  EXPECT_EQ(file->dns_servers, std::vector<std::string>{"10.0.0.1"});
  EXPECT_EQ(file->table, "Table");
  ASSERT_EQ(file->hooks.pre_down.size(), 1u);
  EXPECT_EQ(file->hooks.pre_down[0].text, "PreDown");
  EXPECT_EQ(file->hooks.post_down[0].text, "postdown");
  ASSERT_EQ(file->warnings.size(), 4u);
  EXPECT_EQ(file->warnings[0],
            "wg0.conf:2: DNS: there is no '=', so the value is taken to be \"DNS\", as wg-quick "
            "takes it; write DNS = VALUE");
}

TEST(QuickFile, LetsALaterSectionOfAPeerReplaceWhatItNames) {
  const auto file = parse_quick_file(
      "wg0.conf", with_keys("[Peer]\nPublicKey=@A\nAllowedIPs=10.0.0.0/8\nEndpoint=1.2.3.4:5\n"
                            "[Peer]\nPublicKey=@A\nAllowedIPs=11.0.0.0/8\n"));
  ASSERT_TRUE(file.has_value());
  ASSERT_EQ(file->peers.size(), 1u);
  ASSERT_EQ(file->peers[0].allowed_ips.size(), 1u);
  EXPECT_EQ(file->peers[0].allowed_ips[0].prefix.to_string(), "11.0.0.0/8");
  EXPECT_TRUE(file->peers[0].endpoint.has_value());
}

TEST(QuickFile, HasLimits) {
  const auto repeat = [](const std::string& line, std::size_t count) {
    std::string text = "[Interface]\n";
    for (std::size_t i = 0; i < count; ++i) text += line;
    return parse_quick_file("wg0.conf", text).has_value();
  };
  EXPECT_TRUE(repeat("Address = 10.0.0.1\n", kMaxQuickAddresses));
  EXPECT_FALSE(repeat("Address = 10.0.0.1\n", kMaxQuickAddresses + 1));
  EXPECT_TRUE(repeat("PostUp = x\n", kMaxQuickHooks));
  EXPECT_FALSE(repeat("PostUp = x\n", kMaxQuickHooks + 1));
  EXPECT_TRUE(repeat("DNS = 1.1.1.1\n", kMaxQuickDns));
  EXPECT_FALSE(repeat("DNS = 1.1.1.1\n", kMaxQuickDns + 1));
  EXPECT_FALSE(parse_quick_file("wg0.conf", std::string(kMaxQuickFile + 1, '\n')).has_value());
  const auto warnings = [](std::size_t count) {
    std::string text = "[Interface]\n";
    for (std::size_t i = 0; i < count; ++i) text += "Address = 10.1\n";
    const auto file = parse_quick_file("wg0.conf", text);
    return file ? file->warnings.size() : 0;
  };
  EXPECT_EQ(warnings(kMaxQuickWarnings - 1), kMaxQuickWarnings - 1);
  EXPECT_EQ(warnings(kMaxQuickWarnings), kMaxQuickWarnings);
  EXPECT_EQ(warnings(kMaxQuickWarnings + 1), kMaxQuickWarnings);
}

TEST(QuickFile, NeverRepeatsAKeyInAnError) {
  for (const std::string line : {"PrivateKey = @A=", "PrivateKey = x@A", "PrivateKe = @A"}) {
    EXPECT_EQ(error_of("[Interface]\n" + line).find(kKeyA), std::string::npos) << line;
  }
}

TEST(QuickCommands, AreReadWhateverElseIsWrong) {
  const QuickHooks hooks = quick_commands(
      "[Interface]\nFoo = 1\nPreDown = a # b\nPreDown\nAddress = x\n[Peer]\nPostDown = no\n"
      "[Interface]\nPostDown = c=d\nPreUp = e\n");
  ASSERT_EQ(hooks.pre_down.size(), 2u);
  EXPECT_EQ(hooks.pre_down[0], (QuickHook{.text = "a # b", .line = 3}));
  EXPECT_EQ(hooks.pre_down[1], (QuickHook{.text = "PreDown", .line = 4}));
  ASSERT_EQ(hooks.post_down.size(), 1u);
  EXPECT_EQ(hooks.post_down[0], (QuickHook{.text = "c=d", .line = 9}));
  EXPECT_EQ(hooks.pre_up.size(), 1u);
  EXPECT_TRUE(
      quick_commands(std::string_view("[Interface]\nPreDown = a\n\0", 26)).pre_down.empty());
}

TEST(StripQuickFile, LeavesTheLinesOfWg) {
  const auto stripped =
      strip_quick_file("wg0.conf",
                       "# mine\n[Interface]\n  PrivateKey = x\t\nAddress = 10.0.0.1\nPostUp = y\n\n"
                       "[Peer]\nAddress = 10.0.0.1");
  ASSERT_TRUE(stripped.has_value());
  EXPECT_EQ(*stripped, "# mine\n[Interface]\nPrivateKey = x\n\n[Peer]\nAddress = 10.0.0.1\n");
  EXPECT_FALSE(strip_quick_file("wg0.conf", "[Interface]\nSaveConfig = perhaps").has_value());
}

TEST(QuickInterface, IsTheNameOfTheFile) {
  struct Row {
    std::string path;
    std::string interface;  // Empty: refused.
  };
  const Row rows[] = {{"/etc/wireguard/wg0.conf", "wg0"},
                      {"a_=+.-Z9.conf", "a_=+.-Z9"},
                      {"123456789012345.conf", "123456789012345"},
                      {"1234567890123456.conf", ""},
                      {"wg0", ""},
                      {"./.conf", ""},
                      {"wg 0.conf", ""},
                      {"all.conf", ""},
                      {"default.conf", ""},
                      {"..conf", ""},
                      {"...conf", ""}};
  for (const Row& row : rows) EXPECT_EQ(quick_interface(row.path).value_or(""), row.interface);
}

TEST(ExpandHook, PutsTheInterfaceInEveryPlace) {
  EXPECT_EQ(expand_hook("a %i b %i%i %%i %", "wg0"), "a wg0 b wg0wg0 %wg0 %");
  EXPECT_EQ(expand_hook("", "wg0"), "");
}

}  // namespace
}  // namespace ginnel::config
