#include "core/server/client_dns.h"

#include <gtest/gtest.h>

namespace ginnel::server {
namespace {

std::string joined(const std::vector<net::Address>& addresses) {
  std::string text;
  for (const net::Address& address : addresses)
    text += (text.empty() ? "" : " ") + address.to_string();
  return text;
}

TEST(ClientDns, TakesTheHostsResolversThatClientsCanReach) {
  struct Row {
    std::string_view resolv_conf;
    std::string_view behind_a_stub;
    bool ipv6;
    std::string_view expected;
  };
  const Row rows[] = {
      {"nameserver 192.0.2.53\n", "", true, "192.0.2.53"},
      {"nameserver\t192.0.2.53 \r\n", "", true, "192.0.2.53"},
      {"# nameserver 192.0.2.1\n; nameserver 192.0.2.2\nnameserver 192.0.2.53 # home", "", true,
       "192.0.2.53"},
      {"nameserver 192.0.2.1\nnameserver 2001:db8::53\n", "", true, "192.0.2.1 2001:db8::53"},
      {"nameserver 192.0.2.1\nnameserver 2001:db8::53\n", "", false, "192.0.2.1"},
      {"nameserver 192.0.2.1\nnameserver 192.0.2.1\n", "", true, "192.0.2.1"},
      {"nameserver 127.0.0.53\noptions edns0\n", "nameserver 192.0.2.7\n", true, "192.0.2.7"},
      {"nameserver ::1\nnameserver 192.0.2.1\n", "nameserver 192.0.2.7\n", true, "192.0.2.1"},
      {"nameserver 169.254.169.253\n", "", true, "169.254.169.253"},
      {"nameserver 1.0.0.1\nnameserver 1.0.0.2\nnameserver 1.0.0.3\nnameserver 1.0.0.4\n", "", true,
       "1.0.0.1 1.0.0.2 1.0.0.3"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.resolv_conf);
    EXPECT_EQ(joined(choose_client_dns({row.resolv_conf, row.behind_a_stub}, row.ipv6)),
              row.expected);
  }
}

TEST(ClientDns, FallsBackToAPublicResolver) {
  const std::string_view useless[] = {
      "",
      "search example.org\n",
      "nameserver\n",
      "nameserver 127.0.0.1\n",
      "nameserver 0.0.0.0\n",
      "nameserver fe80::1%eth0\n",
      "nameserver fe80::1\n",
      "nameservers 192.0.2.1\n",
      "nameserver example.org\n",
      "nameserver 192.0.2.1 192.0.2.2\n",
  };
  for (const std::string_view text : useless) {
    SCOPED_TRACE(text);
    EXPECT_EQ(joined(choose_client_dns({text, text}, true)), "9.9.9.9 2620:fe::fe");
    EXPECT_EQ(joined(choose_client_dns({text, text}, false)), "9.9.9.9");
  }
}

TEST(HostResolvers, AreThoseThatTheHostAsks) {
  const std::string_view text =
      "nameserver 127.0.0.53\nnameserver 10.200.100.1\nnameserver fe80::1\nnameserver ::1\n"
      "nameserver 127.0.0.53\nnameserver 9.9.9.9\nnameserver 8.8.8.8\n";
  const net::Address own = *net::Address::parse("10.200.100.1");
  EXPECT_EQ(joined(host_resolvers(text, {own})), "127.0.0.53 ::1 9.9.9.9");
  EXPECT_EQ(joined(host_resolvers("nameserver 0.0.0.0\noptions edns0\n", {})), "");
}

}  // namespace
}  // namespace ginnel::server
