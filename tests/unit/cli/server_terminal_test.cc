#include "cli/server_terminal.h"

#include <gtest/gtest.h>

#include "unit/cli/string_io.h"

namespace ginnel::cli {
namespace {

server::ServerView view() {
  server::ServerView view;
  view.interface = "wg0";
  view.peers = 3;
  view.peers_active = 2;
  view.rx_bytes_per_second = 1500;
  view.uptime = 3min;
  return view;
}

constexpr std::string_view kFile = "[Interface]\nPrivateKey = secret\n";

TEST(StatusLine, SaysWhatGoesOnAndNeverWraps) {
  EXPECT_EQ(status_line(view(), 80),
            "wg0 online, 2 of 3 peers active, in 1.5 kB/s, out 0 B/s, up 3 min");
  EXPECT_EQ(status_line(view(), 11), "wg0 online");
  EXPECT_EQ(status_line(view(), 10), "wg0 onlin");
  EXPECT_EQ(status_line(view(), 0), "");
}

TEST(ServerTerminal, ShowsTheFirstClientToAPerson) {
  StringIo io;
  ServerTerminal terminal(io, {.shows_results = true, .shows_progress = true});
  terminal.on_ready(view(), kFile);
  EXPECT_NE(io.out_text.find(kFile), std::string::npos);
  EXPECT_NE(io.out_text.find("\u2588"), std::string::npos);  // A QR code is made of blocks.
  EXPECT_NE(io.out_text.find("ginnel peer add"), std::string::npos);
}

TEST(ServerTerminal, ShowsNoSecretWhereNobodyLooks) {
  StringIo io;
  ServerTerminal terminal(io, {.shows_results = false});
  terminal.on_ready(view(), kFile);
  EXPECT_EQ(io.out_text, "");
  EXPECT_EQ(io.err_text, "");
  EXPECT_FALSE(terminal.wants_status());
}

TEST(ServerTerminal, SaysWhatToDoNextWhenThereIsNoFirstClient) {
  StringIo io;
  ServerTerminal terminal(io, {.shows_results = true});
  terminal.on_ready(view(), "");
  EXPECT_NE(io.out_text.find("ginnel peer add"), std::string::npos);
  EXPECT_EQ(io.out_text.find("[Interface]"), std::string::npos);
}

TEST(ServerTerminal, ReplacesItsLine) {
  StringIo io;
  ServerTerminal terminal(io, {.shows_progress = true});
  EXPECT_TRUE(terminal.wants_status());
  terminal.on_status(view());
  EXPECT_TRUE(io.err_text.starts_with("\r\x1b[Kwg0 online"));
  EXPECT_TRUE(io.err_text.ends_with("\r"));
  terminal.on_end();
  EXPECT_TRUE(io.err_text.ends_with("\r\x1b[K"));
}

TEST(QrText, OfATooLongFileIsAReason) {
  const std::string text = qr_text(std::string(4000, 'a'), {});
  EXPECT_NE(text.find("2953"), std::string::npos);
}

}  // namespace
}  // namespace ginnel::cli
