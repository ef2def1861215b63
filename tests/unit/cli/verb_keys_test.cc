#include <gtest/gtest.h>

#include "base/text.h"
#include "cli/exit_code.h"
#include "cli/run.h"
#include "core/crypto/keys.h"
#include "unit/cli/string_io.h"

namespace ginnel::cli {
namespace {

// RFC 7748, section 6.1: Alice's keys.
constexpr std::string_view kPrivate = "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=";
constexpr std::string_view kPublic = "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=";

int run_pubkey(std::string_view in, StringIo& io) {
  io.in_text = in;
  return run({"pubkey"}, io);
}

TEST(Pubkey, PrintsThePublicKeyOfStandardInput) {
  for (const std::string_view tail :
       {std::string_view(""), std::string_view("\n"), std::string_view(" \r\n\t\v\f\0\n", 8)}) {
    StringIo io;
    std::string text(kPrivate);
    text += tail;
    EXPECT_EQ(run_pubkey(text, io), kOk);
    EXPECT_EQ(trim(io.out_text), kPublic);
    EXPECT_TRUE(io.out_text.ends_with('\n'));
    EXPECT_EQ(io.err_text, "");
  }
}

TEST(Pubkey, RefusesEverythingElseAndDoesNotRepeatIt) {
  const std::string key(kPrivate);
  const std::string rows[] = {
      "",
      "\n",
      " " + key,
      key + "x",
      key + "\n" + key,
      key.substr(1),
      key.substr(0, 43) + "A",
      std::string(5000, '\n'),
      "x" + key.substr(1, 42) + "*",
  };
  for (const std::string& row : rows) {
    SCOPED_TRACE(row.substr(0, 100));
    StringIo io;
    EXPECT_EQ(run_pubkey(row, io), kFailed);
    EXPECT_EQ(io.out_text, "");
    EXPECT_TRUE(io.err_text.starts_with("pubkey: standard input is ")) << io.err_text;
    EXPECT_EQ(io.err_text.find(key.substr(1, 42)), std::string::npos);
  }
}

TEST(Genkey, MakesAClampedKeyThatIsNewEachTime) {
  StringIo first, second;
  EXPECT_EQ(run({"genkey"}, first), kOk);
  EXPECT_EQ(run({"genkey"}, second), kOk);
  EXPECT_NE(first.out_text, second.out_text);
  ASSERT_TRUE(first.out_text.ends_with("\n"));
  const auto key = crypto::PrivateKey::parse(trim(first.out_text));
  ASSERT_TRUE(key);
  EXPECT_EQ(key->expose()[0] & 7, 0);
  EXPECT_EQ(key->expose()[31] & 0xc0, 0x40);
}

TEST(Genpsk, MakesThirtyTwoBytes) {
  StringIo io;
  EXPECT_EQ(run({"genpsk"}, io), kOk);
  EXPECT_TRUE(crypto::PresharedKey::parse(trim(io.out_text)));
}

TEST(Keys, WarnBeforeASecretIsWrittenWhereOthersCanReadIt) {
  for (const std::string verb : {"genkey", "genpsk"}) {
    StringIo io;
    io.exposed = true;
    EXPECT_EQ(run({verb}, io), kOk);
    EXPECT_NE(io.err_text.find("umask 077"), std::string::npos);
    EXPECT_FALSE(io.out_text.empty());
  }
}

TEST(Keys, TakeNoArguments) {
  for (const std::string verb : {"genkey", "genpsk", "pubkey"}) {
    StringIo io;
    EXPECT_EQ(run({verb, "x"}, io), kUsage);
    EXPECT_EQ(io.out_text, "");
  }
}

}  // namespace
}  // namespace ginnel::cli
