#include "os/xt_decode.h"

#include <gtest/gtest.h>

#include <vector>

namespace ginnel::os {
namespace {

using namespace hostnet::nft;

bool is_opaque(const Expression& expression, Opaque::Kind kind) {
  const auto* opaque = std::get_if<Opaque>(&expression);
  return opaque && opaque->kind == kind;
}

TEST(DecodeXtMatch, TakesWhatIsTooShortForAMatchThatItCannotRead) {
  const struct {
    const char* name;
    unsigned revision;
    std::size_t needed;
  } rows[] = {{"conntrack", 1, 150}, {"conntrack", 2, 150}, {"conntrack", 3, 150},
              {"state", 0, 4},       {"udp", 0, 10},        {"tcp", 0, 12},
              {"multiport", 1, 48},  {"addrtype", 1, 8}};
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    for (std::size_t size = 0; size < row.needed; ++size) {
      const std::vector<std::uint8_t> bytes(size, 0xff);
      EXPECT_TRUE(is_opaque(decode_xt_match(row.name, row.revision, bytes), Opaque::Kind::Match));
    }
    const std::vector<std::uint8_t> bytes(512, 0xff);
    (void)decode_xt_match(row.name, row.revision, bytes);
  }
}

TEST(DecodeXtMatch, ReadsEachPortOnceWhateverTheFlagsSay) {
  std::vector<std::uint8_t> multiport(52, 0);
  multiport[0] = 1;   // Destination ports.
  multiport[1] = 15;  // As many as there can be, the last one the beginning of a range.
  for (std::size_t i = 0; i < 15; ++i) multiport[32 + i] = 1;
  const Expression decoded = decode_xt_match("multiport", 1, multiport);
  ASSERT_TRUE(std::holds_alternative<XtPorts>(decoded));
  EXPECT_EQ(std::get<XtPorts>(decoded).ports.size(), 8u);
  multiport[1] = 16;
  EXPECT_TRUE(is_opaque(decode_xt_match("multiport", 1, multiport), Opaque::Kind::Match));
}

TEST(DecodeXtMatch, DoesNotGuess) {
  const std::vector<std::uint8_t> bytes(512, 0);
  EXPECT_TRUE(is_opaque(decode_xt_match("recent", 1, bytes), Opaque::Kind::Match));
  EXPECT_TRUE(is_opaque(decode_xt_match("conntrack", 9, bytes), Opaque::Kind::Match));
  EXPECT_TRUE(is_opaque(decode_xt_match("multiport", 0, bytes), Opaque::Kind::Match));
  EXPECT_TRUE(is_opaque(decode_xt_match("comment", 0, bytes), Opaque::Kind::Statement));
}

TEST(DecodeXtTarget, KnowsWhichOnesEndThePacketsWay) {
  EXPECT_TRUE(std::holds_alternative<RejectPacket>(decode_xt_target("REJECT")));
  EXPECT_TRUE(is_opaque(decode_xt_target("LOG"), Opaque::Kind::Statement));
  EXPECT_TRUE(is_opaque(decode_xt_target("TCPMSS"), Opaque::Kind::Statement));
  EXPECT_TRUE(is_opaque(decode_xt_target("NFQUEUE"), Opaque::Kind::Terminal));
  EXPECT_TRUE(is_opaque(decode_xt_target("something-new"), Opaque::Kind::Terminal));
}

}  // namespace
}  // namespace ginnel::os
