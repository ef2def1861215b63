// What a person at the terminal sees of a server: the first client's file and code, then one line
// that stays up to date.
#pragma once

#include "cli/io.h"
#include "service/server/server_process.h"

namespace ginnel::cli {

struct TerminalTraits {
  bool shows_results = false;   // Standard output is a terminal: secrets may be shown there.
  bool shows_progress = false;  // Standard error is one.
  bool has_colours = false;
  std::size_t columns = 80;
};

// Of this process. NO_COLOR is respected.
TerminalTraits terminal_traits(const Io& io);

class ServerTerminal final : public server::Audience {
 public:
  ServerTerminal(Io& io, const TerminalTraits& traits) : io_(io), traits_(traits) {}

  void on_ready(const server::ServerView& view, std::string_view first_client) override;
  bool wants_status() const override { return traits_.shows_progress; }
  void on_status(const server::ServerView& view) override;
  bool has_left() const override;
  void on_end() override;

 private:
  Io& io_;
  TerminalTraits traits_;
};

std::string_view state_text(server::ServerState state);
// One line without its end, cut to `columns`.
std::string status_line(const server::ServerView& view, std::size_t columns);
// The file's QR code, or a line that says why there is none.
std::string qr_text(std::string_view file, const TerminalTraits& traits);

}  // namespace ginnel::cli
