#include "cli/server_terminal.h"

#include <fmt/ranges.h>

#include "base/log.h"
#include "cli/human.h"
#include "os/terminal.h"
#include "service/server/qr_code.h"

namespace ginnel::cli {
namespace {

constexpr std::string_view kClearLine = "\r\x1b[K";

std::string ways_out(const server::ServerView& view) {
  const auto name = [](const http::Nullable<std::string>& way) {
    return way.value.value_or("none");
  };
  if (view.uplink_ipv4 == view.uplink_ipv6) return name(view.uplink_ipv4);
  return fmt::format("{} (IPv4), {} (IPv6)", name(view.uplink_ipv4), name(view.uplink_ipv6));
}

}  // namespace

std::string_view state_text(server::ServerState state) {
  switch (state) {
    case server::ServerState::Online:
      return "online";
    case server::ServerState::Blocked:
      return "blocked";
    case server::ServerState::NoUplink:
      return "no uplink";
  }
  return "";
}

TerminalTraits terminal_traits(const Io& io) {
  TerminalTraits traits;
  traits.shows_results = os::is_terminal(os::Stream::Output);
  traits.shows_progress = os::is_terminal(os::Stream::Error);
  traits.has_colours = !io.environment("NO_COLOR") && io.environment("TERM") != "dumb";
  if (const auto size = os::terminal_size(os::Stream::Output)) traits.columns = size->columns;
  return traits;
}

std::string qr_text(std::string_view file, const TerminalTraits& traits) {
  const auto code = server::QrCode::encode(file);
  if (!code) return code.error().message + "\n";
  const auto text = server::to_terminal_text(
      *code, {.coloured = traits.has_colours, .max_columns = traits.columns});
  return text ? *text : text.error().message + "\n";
}

void ServerTerminal::on_ready(const server::ServerView& view, std::string_view first_client) {
  std::vector<std::string> subnets;
  for (const net::Prefix& subnet : view.subnets) subnets.push_back(subnet.to_string());
  log::info("ready interface={} port={} subnets={} uplink_ipv4={} uplink_ipv6={} peers={}",
            view.interface, view.listen_port, fmt::join(subnets, ","),
            view.uplink_ipv4.value.value_or("none"), view.uplink_ipv6.value.value_or("none"),
            view.peers);
  if (!traits_.shows_results) {
    if (first_client.empty()) return;
    log::info("made client \"first\"; \"ginnel peer config first\" prints its file");
    return;
  }
  if (!first_client.empty()) {
    io_.write_out(
        "\nThe first client. Scan the code with the WireGuard app of a phone, or save the text as "
        "first.conf:\n\n");
    io_.write_out(first_client);
    io_.write_out("\n");
    io_.write_out(qr_text(first_client, traits_));
  }
  io_.out(
      "\nClients go out through {}. \"ginnel peer add NAME\" makes the next one, \"ginnel peer qr "
      "NAME\" shows\nits code. Ctrl-C ends the server and puts everything back.\n\n",
      ways_out(view));
  io_.write_err("");  // Shows what was written so far.
}

std::string status_line(const server::ServerView& view, std::size_t columns) {
  std::string line = fmt::format("{} {}, {} of {} peers active, in {}, out {}, up {}",
                                 view.interface, state_text(view.state), view.peers_active,
                                 view.peers, human_rate(view.rx_bytes_per_second),
                                 human_rate(view.tx_bytes_per_second), human_duration(view.uptime));
  // A line that wraps could not be replaced.
  if (line.size() >= columns) line.resize(columns == 0 ? 0 : columns - 1);
  return line;
}

// The cursor goes back to the line's start, so that a log line in between takes its place.
void ServerTerminal::on_status(const server::ServerView& view) {
  io_.write_err(fmt::format("{}{}\r", kClearLine, status_line(view, traits_.columns)));
}

bool ServerTerminal::has_left() const {
  return traits_.shows_progress && !os::is_terminal(os::Stream::Error);
}

void ServerTerminal::on_end() {
  if (traits_.shows_progress) io_.write_err(kClearLine);
}

}  // namespace ginnel::cli
