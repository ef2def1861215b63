#include "os/uplink_leases.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "os/file.h"

namespace ginnel::os {
namespace {

TEST(UplinkLeases, AreFoundWithEveryClient) {
  const std::string root = ::testing::TempDir() + "ginnel-leases";
  std::filesystem::remove_all(root);
  const LeaseDirectories directories{.networkd = root + "/networkd",
                                     .dhclient = {root + "/nowhere", root + "/dhclient"},
                                     .dhcpcd = root + "/dhcpcd"};
  const hostnet::Link link{.index = 7, .name = "eth0"};
  EXPECT_EQ(read_leases(link, directories), hostnet::UplinkServers{});
  for (const char* client : {"/networkd", "/dhclient", "/dhcpcd"}) {
    ASSERT_TRUE(make_directories(root + client, 0755));
  }
  const auto write = [&](const std::string& name, std::string_view text) {
    ASSERT_TRUE(write_file_atomically(root + name, text, 0644));
  };
  write("/networkd/7", "SERVER_ADDRESS=192.0.2.1\nDNS=192.0.2.53\n");
  write("/networkd/8", "SERVER_ADDRESS=192.0.2.8\n");
  write("/dhclient/dhclient.eth0.leases",
        "lease {\n  interface \"eth0\";\n  option dhcp-server-identifier 192.0.2.2;\n}\n");
  write("/dhclient/notes",
        "lease {\n  interface \"eth0\";\n  option dhcp-server-identifier 192.0.2.9;\n}\n");
  std::string message(236, '\0');
  message += std::string("\x63\x82\x53\x63\x36\x04\xc0\x00\x02\x03\xff", 11);
  write("/dhcpcd/eth0.lease", message);
  const auto found = read_leases(link, directories);
  std::vector<std::string> dhcp;
  for (const net::Address& server : found.dhcp) dhcp.push_back(server.to_string());
  EXPECT_EQ(dhcp, (std::vector<std::string>{"192.0.2.1", "192.0.2.2", "192.0.2.3"}));
  ASSERT_EQ(found.dns.size(), 1u);
  EXPECT_EQ(found.dns.front().to_string(), "192.0.2.53");
  std::filesystem::remove_all(root);
}

}  // namespace
}  // namespace ginnel::os
