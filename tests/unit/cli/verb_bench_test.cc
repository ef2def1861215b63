#include <gtest/gtest.h>

#include "cli/exit_code.h"
#include "cli/run.h"
#include "unit/cli/string_io.h"

namespace ginnel::cli {
namespace {

TEST(Bench, RefusesWhatItDoesNotMeasure) {
  struct Row {
    std::vector<std::string> words;
    std::string_view message;
  };
  for (const Row& row : {Row{{"bench", "disk"}, "not one of crypto, path"},
                         Row{{"bench", "crypto", "--rounds", "0"}, "--rounds"},
                         Row{{"bench", "crypto", "--rounds", "101"}, "--rounds"},
                         Row{{"bench", "crypto", "--seconds", "0"}, "--seconds"},
                         Row{{"bench", "crypto", "--seconds", "3601"}, "--seconds"}}) {
    SCOPED_TRACE(row.words[1]);
    StringIo io;
    EXPECT_EQ(run(row.words, io), kUsage);
    EXPECT_NE(io.err_text.find(row.message), std::string::npos) << io.err_text;
    EXPECT_EQ(io.out_text, "");
  }
}

TEST(Bench, PrintsTheCryptographyAsATableAndAsJson) {
  StringIo table, json;
  EXPECT_EQ(run({"bench", "crypto"}, table), kOk);
  EXPECT_NE(table.out_text.find("OpenSSL"), std::string::npos);
  EXPECT_NE(table.out_text.find("X25519"), std::string::npos);
  EXPECT_EQ(run({"bench", "crypto", "--json"}, json), kOk);
  EXPECT_NE(json.out_text.find(R"("bytes":1420)"), std::string::npos) << json.out_text;
  EXPECT_NE(json.out_text.find(R"("path":null)"), std::string::npos) << json.out_text;
}

}  // namespace
}  // namespace ginnel::cli
