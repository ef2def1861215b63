// What bench/run sends handshakes with. Every peer is real; each command prints one JSON object.
//
//   handshakes keys COUNT                                    public keys, one a line
//   handshakes answer ENDPOINT KEY COUNT PROCESS             all at once: the CPU time of an answer
//   handshakes pace ENDPOINT KEY COUNT NETWORK SOURCES RATE SECONDS    RATE a second each
//   handshakes flood ENDPOINT KEY NETWORK RATE SECONDS       rubbish from 65,536 addresses
#include <fmt/core.h>

#include <cstdlib>

#include "base/check.h"
#include "base/text.h"
#include "handshakes/initiators.h"
#include "handshakes/wire.h"

namespace ginnel::handshakes {
namespace {

constexpr std::size_t kOutstanding = 32;
constexpr std::size_t kRounds = 4;  // The first of them is the peers' first contact.
constexpr Duration kPatience = 1s;
constexpr std::uint16_t kPort = 4100;

double microseconds(Duration time) {
  return std::chrono::duration<double, std::micro>(time).count();
}

struct Daemon {
  net::Endpoint endpoint;
  crypto::PublicKey key;
};

// Asks for handshakes [first, last), kOutstanding at a time. Exits when no answer comes.
void ask(Wire& wire, Initiators& initiators, std::size_t first, std::size_t last) {
  const os::Clock clock;
  Initiators::Source source;
  std::size_t asked = first, answered = first;
  const auto send = [&](std::size_t number) {
    wire.send(bytes_of(initiators.take(number, source, clock.mono())), net::Address());
  };
  while (answered < last) {
    while (asked < last && asked - answered < kOutstanding) send(asked++);
    const ByteView datagram = wire.receive(clock.mono() + kPatience);
    if (datagram.empty()) {
      fmt::print(stderr, "handshakes: {} of {} were answered\n", answered - first, last - first);
      std::exit(1);
    }
    const std::size_t number = initiators.answered_by(datagram);
    if (number < first || number >= last) continue;
    if (datagram.size() == sizeof(wg::HandshakeResponse)) {
      initiators.keep(number, datagram);
      ++answered;
    } else if (initiators.take_cookie(datagram, source, clock.mono())) {
      send(number);
    }
  }
}

int answer(const Daemon& daemon, std::size_t count, int process) {
  const os::Clock clock;
  Initiators initiators(count, kRounds, daemon.key, clock.now().unix);
  Wire wire(daemon.endpoint, kPort);
  ask(wire, initiators, 0, count);
  const Duration worked_before = cpu_time_of(process);
  const MonoTime began = clock.mono();
  ask(wire, initiators, count, initiators.size());
  const Duration took = clock.mono() - began;
  const Duration worked = cpu_time_of(process) - worked_before;
  const std::size_t sound = initiators.count_sound();
  if (sound != initiators.size()) {
    fmt::print(stderr, "handshakes: {} of {} answers were sound\n", sound, initiators.size());
    return 1;
  }
  const auto number = static_cast<double>(initiators.size() - count);
  fmt::print("{{\"cpu_us\": {:.2f}, \"per_second\": {:.0f}}}\n", microseconds(worked) / number,
             number / (microseconds(took) / 1e6));
  return 0;
}

struct Pace {
  net::Address network;
  std::size_t sources;
  std::size_t rate;
  std::size_t seconds;
};

// Well-behaved sources: each keeps its rate, and answers a cookie at once.
int pace(const Daemon& daemon, std::size_t count, const Pace& pace) {
  const os::Clock clock;
  const std::size_t number = pace.sources * pace.rate * pace.seconds;
  CHECK(number <= count);
  Initiators initiators(count, 1, daemon.key, clock.now().unix);
  Wire wire(daemon.endpoint, kPort);
  std::vector<Initiators::Source> sources(pace.sources);
  std::vector<MonoTime> asked_at(number);
  std::vector<double> waited;
  const auto send = [&](std::size_t i) {
    const std::size_t source = i % pace.sources;
    wire.send(bytes_of(initiators.take(i, sources[source], clock.mono())),
              pace.network.plus(source + 1));
  };
  const Duration interval = Duration(1s) / static_cast<std::int64_t>(pace.sources * pace.rate);
  const MonoTime began = clock.mono();
  for (std::size_t asked = 0;;) {
    const bool all = asked == number;
    const MonoTime next = began + interval * asked;
    const ByteView datagram = wire.receive(all ? next + kPatience : next);
    if (datagram.empty()) {
      if (all) break;
      asked_at[asked] = clock.mono();
      send(asked++);
      continue;
    }
    const std::size_t i = initiators.answered_by(datagram);
    if (i >= number) continue;
    if (datagram.size() == sizeof(wg::HandshakeResponse)) {
      initiators.keep(i, datagram);
      waited.push_back(microseconds(clock.mono() - asked_at[i]));
    } else if (initiators.take_cookie(datagram, sources[i % pace.sources], clock.mono())) {
      send(i);
    }
  }
  std::ranges::sort(waited);
  fmt::print("{{\"asked\": {}, \"answered\": {}, \"p50_us\": {:.0f}}}\n", number,
             initiators.count_sound(), waited.empty() ? 0.0 : waited[waited.size() / 2]);
  return 0;
}

// Three kinds, one after the other: of those who do not know the key, of those who do and send
// rubbish, and of those who pretend to have a cookie as well.
std::vector<wg::HandshakeInitiation> make_rubbish(const crypto::PublicKey& key) {
  SeededRng rng(2);
  crypto::Blake2s blake2s;
  const crypto::Hash mac1_key = wg::mac1_key_of(blake2s, key);
  std::vector<wg::HandshakeInitiation> rubbish(3 * 341);
  for (std::size_t i = 0; i < rubbish.size(); ++i) {
    wg::HandshakeInitiation& message = rubbish[i];
    message.sender = Le32(rng.number<std::uint32_t>());
    rng.fill(message.ephemeral);
    rng.fill(message.sealed_static);
    rng.fill(message.sealed_timestamp);
    rng.fill(message.mac1);
    const ByteView covered = bytes_of(message).first(sizeof message - 2 * sizeof message.mac1);
    if (i % 3 > 0) message.mac1 = blake2s.mac(mac1_key, {covered});
    if (i % 3 > 1) rng.fill(message.mac2);
  }
  return rubbish;
}

int flood(const Daemon& daemon, const net::Address& network, std::size_t rate,
          std::size_t seconds) {
  const os::Clock clock;
  const std::vector<wg::HandshakeInitiation> rubbish = make_rubbish(daemon.key);
  Wire wire(daemon.endpoint, 0);
  SeededRng rng(3);
  std::array<ByteView, 64> datagrams;
  std::array<net::Address, 64> from;
  const MonoTime began = clock.mono();
  std::size_t sent = 0, due = 0;
  do {
    const Duration passed = clock.mono() - began;
    due = static_cast<std::size_t>(microseconds(passed) / 1e6 * static_cast<double>(rate));
    if (due < sent + datagrams.size()) {
      wire.receive(clock.mono() + 500us);  // What comes is thrown away.
      continue;
    }
    for (std::size_t i = 0; i < datagrams.size(); ++i) {
      datagrams[i] = bytes_of(rubbish[(sent + i) % rubbish.size()]);
      from[i] = network.plus(rng.below(0x10000));
    }
    const std::size_t taken = wire.send_many(datagrams, from);
    if (taken == 0) break;
    sent += taken;
  } while (due < rate * seconds);
  fmt::print("{{\"sent\": {}}}\n", sent);
  return sent > 0 ? 0 : 1;
}

std::size_t number_in(const char* text) {
  const auto number = parse_number<std::size_t>(text, 1, 10'000'000);
  CHECK(number.has_value());
  return *number;
}

int run(std::span<char*> args) {
  const std::string_view command = args.size() > 1 ? args[1] : "";
  if (command == "keys" && args.size() == 3) {
    for (const crypto::PrivateKey& key : keys_of(number_in(args[2]))) {
      fmt::print("{}\n", key.public_key().to_base64());
    }
    return 0;
  }
  const auto endpoint = args.size() > 3 ? net::Endpoint::parse(args[2]) : net::Endpoint();
  const auto key = args.size() > 3 ? crypto::PublicKey::parse(args[3]) : crypto::PublicKey();
  if (!endpoint || !key) {
    fmt::print(stderr, "handshakes: not an endpoint and a key: {} {}\n", args[2], args[3]);
    return 2;
  }
  const Daemon daemon{*endpoint, *key};
  if (command == "answer" && args.size() == 6) {
    return answer(daemon, number_in(args[4]), static_cast<int>(number_in(args[5])));
  }
  const auto network =
      args.size() > 4 ? net::Address::parse(args[command == "pace" ? 5 : 4]) : net::Address();
  if (command == "pace" && args.size() == 9 && network) {
    return pace(daemon, number_in(args[4]),
                {*network, number_in(args[6]), number_in(args[7]), number_in(args[8])});
  }
  if (command == "flood" && args.size() == 7 && network) {
    return flood(daemon, *network, number_in(args[5]), number_in(args[6]));
  }
  fmt::print(stderr, "handshakes: see the head of bench/handshakes/main.cc\n");
  return 2;
}

}  // namespace
}  // namespace ginnel::handshakes

int main(int count, char** args) {
  return ginnel::handshakes::run({args, static_cast<std::size_t>(count)});
}
