#include "core/hostnet/owner.h"

#include <gtest/gtest.h>

namespace ginnel::hostnet {
namespace {

TEST(Owner, ReadsItsOwnMarkBack) {
  for (const char* interface : {"wg0", "a", "fifteen-charact", "odd:name@1", "wg 0"}) {
    SCOPED_TRACE(interface);
    const Owner owner{.role = "server", .interface = interface};
    EXPECT_EQ(Owner::from_mark(owner.mark()), owner);
  }
}

TEST(Owner, RefusesWhatIsNoMark) {
  for (const char* text : {"", "ginnel", "ginnel:", "ginnel:server", "ginnel:server:",
                           "ginnel::wg0", "ginnel:ser ver:wg0", "docker:server:wg0",
                           " ginnel:server:wg0", "ginnel:server:sixteen-characte"}) {
    SCOPED_TRACE(text);
    EXPECT_EQ(Owner::from_mark(text), std::nullopt);
  }
}

TEST(Owner, GivesEveryInterfaceATableNameOfItsOwnThatNftCanRead) {
  const struct {
    const char* interface;
    const char* table;
  } rows[] = {
      {"wg0", "ginnel-server-wg0"},     {"wg-home.1", "ginnel-server-wg-home.1"},
      {"wg@1", "ginnel-server-wg_401"}, {"wg_401", "ginnel-server-wg_5F401"},
      {"wg:1", "ginnel-server-wg_3A1"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ((Owner{.role = "server", .interface = row.interface}.table_name()), row.table);
  }
}

}  // namespace
}  // namespace ginnel::hostnet
