#include "service/gateway/marked_lookup.h"

#include <fmt/format.h>

#include "base/log.h"
#include "core/dns/address_question.h"
#include "core/dns/stream_framer.h"
#include "os/clock.h"
#include "os/connected_socket.h"
#include "os/system_rng.h"
#include "os/unix_socket.h"

namespace ginnel::gateway {
namespace {

// Answers with another id or question than ours, until a server is given up: somebody is guessing.
constexpr unsigned kMaxMismatches = 8;

class Lookup {
 public:
  Lookup(const MarkedLookup& wanted, quick::Interruption& interruption)
      : wanted_(wanted), interruption_(interruption), origin_{.fwmark = wanted.mark} {}

  Result<std::vector<net::Address>> run();

 private:
  using Answers = std::optional<std::vector<net::Address>>;  // Nothing: none came.

  Result<Answers> ask(net::Family family, unsigned rounds);
  Result<Answers> ask_server(const net::Endpoint& server, const dns::UpstreamQuery& query);
  Answers ask_by_stream(const net::Endpoint& server, const dns::UpstreamQuery& query);

  const MarkedLookup& wanted_;
  quick::Interruption& interruption_;
  const os::SocketOrigin origin_;
  os::Clock clock_;
  os::SystemRng rng_;
};

bool is_answer_to(const dns::UpstreamQuery& query, const dns::Answer& answer) {
  return answer.id == query.id && answer.question == query.question;
}

// A server that refuses, or fails, knows no better than one that is silent.
bool is_final(const dns::Answer& answer) {
  return answer.code == dns::Code::NoError || answer.code == dns::Code::NameError;
}

Result<std::vector<net::Address>> Lookup::run() {
  std::vector<net::Address> addresses;
  bool answered = false;
  for (const net::Family family : {net::Family::V4, net::Family::V6}) {
    // With something in hand nobody waits for a server that is silent about the rest.
    const auto found = ask(family, addresses.empty() ? MarkedLookup::kRounds : 1);
    if (!found) return std::unexpected(found.error());
    if (!*found) break;
    answered = true;
    addresses.insert(addresses.end(), (*found)->begin(), (*found)->end());
  }
  if (!addresses.empty()) return addresses;
  if (answered) {
    return fail(ErrorCode::NotFound, fmt::format("look up {}: it has no address; correct the name, "
                                                 "or write an address",
                                                 wanted_.name));
  }
  return fail(ErrorCode::Unavailable,
              fmt::format("look up {}: no server of the uplink answers; write its address, or try "
                          "again when there is a network",
                          wanted_.name));
}

Result<Lookup::Answers> Lookup::ask(net::Family family, unsigned rounds) {
  auto question = dns::address_question(wanted_.name, family);
  if (!question) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("\"{}\" is no name of a host; correct it", wanted_.name));
  }
  const dns::UpstreamQuery query{.id = rng_.number<std::uint16_t>(),
                                 .question = std::move(*question)};
  for (unsigned round = 0; round < rounds; ++round) {
    for (const net::Endpoint& server : wanted_.servers) {
      auto answers = ask_server(server, query);
      if (!answers || *answers) return answers;
    }
  }
  return Answers();
}

Result<Lookup::Answers> Lookup::ask_server(const net::Endpoint& server,
                                           const dns::UpstreamQuery& query) {
  const MonoTime deadline = clock_.mono() + MarkedLookup::kAttemptTime;
  const auto socket = os::connect_datagrams(server, origin_);
  Status sent = socket ? os::send_datagram(socket->get(), dns::make_query(query))
                       : std::unexpected(socket.error());
  if (!sent) {
    log::debug("{}: {}", server.to_string(), sent.error().message);
    return Answers();
  }
  unsigned mismatches = 0;
  for (MonoTime now = clock_.mono(); now < deadline; now = clock_.mono()) {
    Status waited = interruption_.wait_for(socket->get(), deadline - now);
    if (!waited) return pass(std::move(waited));
    std::array<std::uint8_t, dns::kMaxDatagramBytes + 1> room;
    const auto received = os::receive_datagram(socket->get(), room);
    if (!received) return Answers();
    if (!*received) continue;
    const auto answer = dns::parse_answer(**received);
    if (!answer || !is_answer_to(query, *answer)) {
      if (++mismatches == kMaxMismatches) return Answers();
      continue;
    }
    if (answer->truncated) return ask_by_stream(server, query);
    if (!is_final(*answer)) return Answers();
    return Answers(dns::addresses_in(*answer));
  }
  return Answers();
}

Lookup::Answers Lookup::ask_by_stream(const net::Endpoint& server,
                                      const dns::UpstreamQuery& query) {
  const MonoTime deadline = clock_.mono() + MarkedLookup::kAttemptTime;
  auto socket = os::begin_stream(server, origin_);
  if (!socket || !os::finish_connecting(socket->get(), MarkedLookup::kAttemptTime)) return {};
  os::UnixStream stream = os::UnixStream::adopt(std::move(*socket));
  std::string message;
  dns::append_framed(dns::make_query(query), message);
  if (!stream.send_all(message, deadline)) return {};
  const auto framed = [](std::string_view text) {
    dns::StreamFramer framer(dns::kMaxMessageBytes);
    framer.append({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
    return framer.next();
  };
  const auto received =
      stream.receive_until([&](std::string_view text) { return framed(text).has_value(); },
                           dns::kMaxMessageBytes + dns::StreamFramer::kLengthBytes, deadline);
  const auto bytes = received ? framed(*received) : std::nullopt;
  if (!bytes) return {};
  const auto answer = dns::parse_answer(*bytes);
  const bool good = answer && is_answer_to(query, *answer) && is_final(*answer);
  return good ? Answers(dns::addresses_in(*answer)) : Answers();
}

}  // namespace

Result<std::vector<net::Address>> look_up_marked(const MarkedLookup& lookup,
                                                 quick::Interruption& interruption) {
  return Lookup(lookup, interruption).run();
}

}  // namespace ginnel::gateway
