#include "core/server/endpoint_names.h"

#include <gtest/gtest.h>

namespace ginnel::server {
namespace {

net::Address address(std::string_view text) { return net::Address::parse(text).value(); }

config::ServerPeer peer_at(std::string host) {
  config::ServerPeer peer;
  peer.endpoint = config::HostPort{std::move(host), 51820};
  return peer;
}

std::vector<config::ServerPeer> peers_at(std::initializer_list<const char*> hosts) {
  std::vector<config::ServerPeer> peers;
  for (const char* host : hosts) peers.push_back(peer_at(host));
  return peers;
}

using Names = std::vector<std::string>;
using Addresses = std::vector<net::Address>;
constexpr MonoTime kStart{};

Addresses known(const EndpointNames& names, std::string_view name) {
  const auto addresses = names.addresses_of(name);
  return {addresses.begin(), addresses.end()};
}

std::unexpected<Error> not_found() { return fail(ErrorCode::NotFound, "look up a: not known"); }

TEST(EndpointNames, AsksOnceForEachNameOfAPeerThatIsCalled) {
  auto peers = peers_at({"b.example", "a.example", "192.0.2.7", "2001:db8::7", "b.example"});
  peers.push_back(peer_at("off.example"));
  peers.back().enabled = false;
  peers.emplace_back();  // Comes to us.
  EndpointNames names;
  EXPECT_EQ(names.next_timeout(), kNever);
  names.follow(kStart, peers);
  EXPECT_EQ(names.next_timeout(), kStart);
  EXPECT_EQ(names.take_due(kStart), (Names{"a.example", "b.example"}));
  EXPECT_EQ(names.take_due(kStart + 1h), Names{});
  EXPECT_EQ(names.next_timeout(), kNever);
}

TEST(EndpointNames, AsksAgainAfterAWhile) {
  EndpointNames names;
  names.follow(kStart, peers_at({"a"}));
  names.take_due(kStart);
  names.handle_answer(kStart + 1s, "a", Addresses{address("192.0.2.7")});
  EXPECT_EQ(known(names, "a"), Addresses{address("192.0.2.7")});
  EXPECT_EQ(names.next_timeout(), kStart + 1s + EndpointNames::kRefreshInterval);
  EXPECT_EQ(names.take_due(names.next_timeout() - 1ns), Names{});
  EXPECT_EQ(names.take_due(names.next_timeout()), Names{"a"});
}

TEST(EndpointNames, AsksLessAndLessForWhatIsNotFound) {
  EndpointNames names;
  names.follow(kStart, peers_at({"a"}));
  MonoTime now = kStart;
  std::vector<Duration> pauses;
  for (int i = 0; i < 10; ++i) {
    ASSERT_EQ(names.take_due(now), Names{"a"});
    names.handle_answer(now, "a", not_found());
    pauses.push_back(names.next_timeout() - now);
    now = names.next_timeout();
  }
  EXPECT_EQ(pauses, (std::vector<Duration>{2s, 4s, 8s, 16s, 32s, 64s, 128s, 256s, 5min, 5min}));
  names.retry_failed(now - 4min);
  EXPECT_EQ(names.next_timeout(), now - 4min);
}

TEST(EndpointNames, TellsWhatCannotBeCalled) {
  EndpointNames names;
  names.follow(kStart, peers_at({"a", "b"}));
  EXPECT_TRUE(names.failures().empty());
  names.take_due(kStart);
  names.handle_answer(kStart, "a", not_found());
  names.handle_answer(kStart, "b", Addresses{});
  EXPECT_EQ(names.failures(), (std::vector<EndpointNames::Failure>{{"a", "look up a: not known"},
                                                                   {"b", "b: has no address"}}));
  names.take_due(kStart + 1h);
  names.handle_answer(kStart + 1h, "a", Addresses{address("192.0.2.7")});
  names.handle_answer(kStart + 1h, "b", Addresses{address("192.0.2.8")});
  EXPECT_TRUE(names.failures().empty());
}

TEST(EndpointNames, KeepsWhatItKnewAndToleratesSomeFailures) {
  EndpointNames names;
  names.follow(kStart, peers_at({"a"}));
  names.take_due(kStart);
  names.handle_answer(kStart, "a", Addresses{address("192.0.2.7")});
  for (unsigned failures = 1; failures <= EndpointNames::kTolerableFailures + 1; ++failures) {
    SCOPED_TRACE(failures);
    const MonoTime now = names.next_timeout();
    ASSERT_EQ(names.take_due(now), Names{"a"});
    names.handle_answer(now, "a", not_found());
    EXPECT_EQ(known(names, "a"), Addresses{address("192.0.2.7")});
    EXPECT_EQ(names.failures().empty(), failures <= EndpointNames::kTolerableFailures);
  }
}

TEST(EndpointNames, ForgetsNamesThatNoPeerHas) {
  EndpointNames names;
  names.follow(kStart, peers_at({"a", "b"}));
  names.take_due(kStart);
  names.handle_answer(kStart, "a", Addresses{address("192.0.2.7")});
  names.follow(kStart, peers_at({"c"}));
  names.handle_answer(kStart, "b", not_found());
  EXPECT_EQ(known(names, "a"), Addresses{});
  EXPECT_TRUE(names.failures().empty());
  EXPECT_EQ(names.take_due(kStart + 1h), Names{"c"});
}

TEST(EndpointNames, TakesTheAnswerToAnOlderQuestion) {
  EndpointNames names;
  names.follow(kStart, peers_at({"a"}));
  names.take_due(kStart);
  names.follow(kStart, {});
  names.follow(kStart, peers_at({"a"}));
  EXPECT_EQ(names.take_due(kStart + 1h), Names{});
  names.handle_answer(kStart + 1h, "a", Addresses{address("192.0.2.7")});
  EXPECT_EQ(known(names, "a"), Addresses{address("192.0.2.7")});
  EXPECT_NE(names.next_timeout(), kNever);
}

TEST(EndpointNames, AsksForFewAtOnce) {
  constexpr std::size_t kMax = EndpointNames::kMaxLookups;
  for (const std::size_t count : {kMax - 1, kMax, kMax + 1}) {
    SCOPED_TRACE(count);
    std::vector<config::ServerPeer> peers;
    for (std::size_t i = 0; i < count; ++i) peers.push_back(peer_at("n" + std::to_string(i)));
    EndpointNames names;
    names.follow(kStart, peers);
    EXPECT_EQ(names.take_due(kStart).size(), std::min(count, kMax));
    EXPECT_EQ(names.next_timeout(), kNever);
    names.handle_answer(kStart, "n0", not_found());
    EXPECT_EQ(names.take_due(kStart).size(), count > kMax ? 1u : 0u);
  }
}

TEST(EndpointNames, KeepsFewAddresses) {
  constexpr std::size_t kMax = EndpointNames::kMaxAddresses;
  for (const std::size_t count : {kMax - 1, kMax, kMax + 1}) {
    SCOPED_TRACE(count);
    EndpointNames names;
    names.follow(kStart, peers_at({"a"}));
    names.take_due(kStart);
    names.handle_answer(kStart, "a", Addresses(count, address("192.0.2.7")));
    EXPECT_EQ(names.addresses_of("a").size(), std::min(count, kMax));
  }
}

TEST(NextEndpoint, MovesOnlyAPeerThatDoesNotAnswer) {
  const net::Address a = address("192.0.2.1"), b = address("2001:db8::2"), c = address("192.0.2.3");
  using Current = std::optional<net::Endpoint>;
  const auto at = [](const net::Address& where, std::uint16_t port = 7) {
    return Current(net::Endpoint{where, port, 0});
  };
  const struct {
    const char* why;
    Addresses addresses;
    Current current;
    bool has_session;
    Current next;
  } rows[] = {
      {"nothing is known", {}, at(a), false, std::nullopt},
      {"the first time", {a, b}, std::nullopt, false, at(a)},
      {"a session without an endpoint", {a, b}, std::nullopt, true, at(a)},
      {"it roamed, and answers", {a, b}, at(c), true, std::nullopt},
      {"it is where it was, and is silent", {a}, at(a), false, std::nullopt},
      {"it may be at its other address", {a, b}, at(a), false, at(b)},
      {"and back at the first", {a, b}, at(b), false, at(a)},
      {"its name says another address", {b}, at(a), false, at(b)},
      {"its port has changed", {a, b}, at(a, 8), false, at(a)},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.why);
    EXPECT_EQ(next_endpoint(row.addresses, 7, row.current, row.has_session), row.next);
  }
}

}  // namespace
}  // namespace ginnel::server
