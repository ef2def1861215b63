#include "core/hostnet/standing_record.h"

#include <gtest/gtest.h>

namespace ginnel::hostnet {
namespace {

StandingRecord full_record() {
  return {.boot = "b00t",
          .owner = {.role = "up", .interface = "wg0"},
          .configuration = "/etc/wireguard/wg 0.conf",
          .backend = "userspace",
          .index = 4711,
          .risen = true,
          .resolver = "file",
          .dns = {.servers = {"10.0.0.1", "fe80::1%wg0"}, .search = {"a.example"}},
          .silenced = {"eth0", "wlan0"},
          .mtu = 1420,
          .listen_port = 51820,
          .fwmark = 0xca6c,
          .file_fwmark = 7,
          .interface = {.addresses = {net::InterfaceAddress::parse("10.0.0.2/24").value()},
                        .routes = {{.destination = net::Prefix::parse("::/0").value(),
                                    .interface = "wg0",
                                    .table = 51820,
                                    .origin = RouteOrigin::Boot}}},
          .rules = {{.priority = 32765,
                     .mark = 0xca6c,
                     .mark_mask = UINT32_MAX,
                     .inverted = true,
                     .table = 51820,
                     .origin = RouteOrigin::Unspecified},
                    {.family = net::Family::V6,
                     .priority = 5,
                     .from = net::Prefix::parse("fd00::/8").value(),
                     .in_interface = "eth0",
                     .action = RuleAction::Unreachable,
                     .suppress_prefix_length = 0,
                     .origin = RouteOrigin::Unspecified}}};
}

TEST(StandingRecord, IsReadBackAsItWas) {
  for (const StandingRecord& record :
       {full_record(), StandingRecord{.owner = {.role = "up", .interface = "wg0"}}}) {
    const auto read = StandingRecord::parse(record.to_text());
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(*read, record);
  }
}

TEST(StandingRecord, KnowsItsInterfaceByItsIndex) {
  struct Row {
    std::string backend;
    std::uint32_t index;
    std::vector<Link> links;
    std::string found;  // Empty: none.
  };
  const Row rows[] = {
      {"userspace", 7, {{.index = 7, .name = "wg0", .kind = "tun"}}, "wg0"},
      {"userspace", 7, {{.index = 7, .name = "foo", .kind = "tun"}}, "foo"},
      {"program", 7, {{.index = 7, .name = "foo", .kind = "tun"}}, "foo"},
      {"program", 7, {{.index = 7, .name = "wg0", .kind = "veth"}}, "wg0"},
      {"kernel", 7, {{.index = 7, .name = "foo", .kind = "wireguard"}}, "foo"},
      {"kernel", 7, {{.index = 7, .name = "foo", .kind = "tun"}}, ""},
      {"userspace", 7, {{.index = 7, .name = "foo", .kind = "veth"}}, ""},
      {"userspace", 7, {{.index = 8, .name = "wg0", .kind = "tun"}}, ""},
      {"userspace",
       7,
       {{.index = 8, .name = "wg0", .kind = "tun"}, {.index = 7, .name = "foo", .kind = "tun"}},
       "foo"},
      {"userspace", 0, {{.index = 8, .name = "wg0", .kind = "veth"}}, "wg0"},
      {"userspace", 0, {{.index = 0, .name = "foo", .kind = "tun"}}, ""},
      {"userspace", 7, {}, ""},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(testing::Message() << &row - rows);
    const StandingRecord record{
        .owner = {.role = "up", .interface = "wg0"}, .backend = row.backend, .index = row.index};
    const Link* const link = record.find_link(row.links);
    EXPECT_EQ(link == nullptr ? "" : link->name, row.found);
  }
}

TEST(StandingRecord, RefusesWhatItDidNotWrite) {
  const std::string good = "owner\tginnel:up:wg0\n";
  ASSERT_TRUE(StandingRecord::parse(good));
  for (const std::string line :
       {"rule\t4\n", "rule\t5\t1\t0\t0\t0\t1\t2\t-\t-\t-\t-\t-\n", "route\t10.0.0.1/8\t1\n",
        "route\t10.0.0.0/8\tx\n", "address\t10.0.0.0/33\n", "mtu\t-1\n", "listen_port\t65536\n",
        "risen\t2\n", "index\t-1\n", "mtu\n", "other\t1\n", "owner\tsomebody\n"}) {
    EXPECT_FALSE(StandingRecord::parse(good + line)) << line;
  }
  EXPECT_FALSE(StandingRecord::parse(""));
}

TEST(StandingRecord, HasLimits) {
  StandingRecord record = full_record();
  record.rules.resize(StandingRecord::kMaxRules, record.rules.front());
  EXPECT_TRUE(StandingRecord::parse(record.to_text()));
  record.rules.push_back(record.rules.front());
  EXPECT_FALSE(StandingRecord::parse(record.to_text()));
  record = full_record();
  record.interface.addresses.resize(StandingRecord::kMaxAddresses,
                                    record.interface.addresses.front());
  EXPECT_TRUE(StandingRecord::parse(record.to_text()));
  record.interface.addresses.push_back(record.interface.addresses.front());
  EXPECT_FALSE(StandingRecord::parse(record.to_text()));
}

}  // namespace
}  // namespace ginnel::hostnet
