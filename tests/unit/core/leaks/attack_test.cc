#include "core/leaks/attack.h"

#include <gtest/gtest.h>

#include <set>

#include "unit/core/leaks/leak_samples.h"

namespace ginnel::leaks {
namespace {

Catalogue catalogue_of(const hostnet::LockPolicy& policy) {
  return make_catalogue(plan_twin(sample_host(), policy));
}
bool attacks(const Catalogue& catalogue, LeakClass leak_class, net::Family family, Origin origin) {
  return std::ranges::any_of(catalogue.attacks, [&](const Attack& attack) {
    return attack.leak_class == leak_class && attack.family == family && attack.origin == origin;
  });
}

// Those that a phase stands for have no attack of their own.
TEST(Catalogue, AttacksInEveryClassThatPacketsCanShow) {
  const Catalogue catalogue = catalogue_of(sample_policy());
  using enum LeakClass;
  const std::set<LeakClass> by_phase = {BootRace,        TunnelGone,   DaemonKilled,
                                        Reconfiguration, ForeignFlush, InjectedRoute};
  for (const LeakClassInfo& info : leak_classes()) {
    const bool is_attacked = std::ranges::any_of(
        catalogue.attacks, [&](const Attack& a) { return a.leak_class == info.leak_class; });
    const bool is_untried = std::ranges::any_of(
        catalogue.untried, [&](const Untried& u) { return u.leak_class == info.leak_class; });
    EXPECT_TRUE(is_attacked || is_untried || by_phase.contains(info.leak_class))
        << id_of(info.leak_class);
    EXPECT_TRUE(info.untested.empty() || !is_attacked) << id_of(info.leak_class);
  }
}

TEST(Catalogue, AttacksInBothFamiliesFromEverySide) {
  const Catalogue catalogue = catalogue_of(sample_policy());
  for (const net::Family family : kFamilies) {
    using enum LeakClass;
    EXPECT_TRUE(attacks(catalogue, LiveFlow, family, Origin::Local));
    EXPECT_TRUE(attacks(catalogue, BoundToDevice, family, Origin::Local));
    EXPECT_TRUE(attacks(catalogue, RawFrame, family, Origin::Local));
    EXPECT_TRUE(attacks(catalogue, CopiedMark, family, Origin::Local));
    EXPECT_TRUE(attacks(catalogue, Multicast, family, Origin::Local));
    EXPECT_TRUE(attacks(catalogue, Forwarded, family, Origin::Forwarded));
    EXPECT_TRUE(attacks(catalogue, Forwarded, family, Origin::Container));
    EXPECT_TRUE(attacks(catalogue, LanResolver, family, Origin::Forwarded));
    EXPECT_TRUE(attacks(catalogue, TunnelProbe, family, Origin::Outside));
    EXPECT_TRUE(attacks(catalogue, IcmpError, family, Origin::Outside));
  }
}

// Behind every interface, for whoever may be reached directly could be told of it.
TEST(Catalogue, ForgesTheAddressOfWhoMayBeReachedDirectly) {
  hostnet::LockPolicy policy = sample_policy();
  const auto forgers = [&](std::string_view name) {
    std::vector<std::pair<Origin, net::Address>> found;
    for (const Attack& attack : catalogue_of(policy).attacks) {
      if (attack.name == name) found.emplace_back(attack.origin, attack.packet.source);
    }
    return found;
  };
  for (const char* name : {"forged-source", "forged-source-last-hop"}) {
    const auto found = forgers(name);
    EXPECT_EQ(std::ranges::count(found, Origin::Container, [](auto& f) { return f.first; }), 2);
    EXPECT_EQ(std::ranges::count(found, Origin::Forwarded, [](auto& f) { return f.first; }), 2);
  }
  EXPECT_TRUE(forgers("forged-allowed-source").empty());

  policy.allowed = {to_prefix("224.0.0.251/32"), to_prefix("10.100.0.0/24"),
                    to_prefix("192.168.77.0/24"), to_prefix("fe80::/10"),
                    to_prefix("2001:db8:77::7/128")};
  const std::vector<std::pair<Origin, net::Address>> expected = {
      {Origin::Forwarded, to_address("192.168.77.1")},
      {Origin::Container, to_address("192.168.77.1")},
      {Origin::Forwarded, to_address("2001:db8:77::7")},
      {Origin::Container, to_address("2001:db8:77::7")}};
  EXPECT_EQ(forgers("forged-allowed-source"), expected);
}

// As a gateway's resolver does. One that is near would not be seen on an uplink with the lock off.
TEST(Catalogue, AsksTheTunnelsResolversFromEverySide) {
  hostnet::LockPolicy policy = sample_policy();
  policy.dns = {to_address("10.2.0.1"), to_address("fd02::1"), to_address("10.100.0.9")};
  const Catalogue catalogue = catalogue_of(policy);
  for (const net::Address& server : policy.dns) {
    SCOPED_TRACE(server.to_string());
    for (const Origin origin : {Origin::Local, Origin::Forwarded, Origin::Container}) {
      const auto asks = std::ranges::count_if(catalogue.attacks, [&](const Attack& attack) {
        return attack.origin == origin && attack.packet.destination == server &&
               attack.packet.destination_port == 53;
      });
      EXPECT_EQ(asks, server == to_address("10.100.0.9") ? 0 : 1) << name_of(origin);
    }
  }
}

TEST(Catalogue, NamesEachAttackOnce) {
  std::set<std::string> ids;
  for (const Attack& attack : catalogue_of(sample_policy()).attacks) {
    EXPECT_TRUE(ids.insert(attack.id()).second) << attack.id();
  }
}

// What is let through on purpose is no leak; DNS to a resolver there is one all the same.
TEST(Catalogue, LeavesOutWhatThePolicyAllowsButNotDns) {
  hostnet::LockPolicy policy = sample_policy();
  policy.allowed = {to_prefix("192.168.1.0/24")};
  const Catalogue catalogue = catalogue_of(policy);
  for (const Attack& attack : catalogue.attacks) {
    if (!policy.allowed[0].contains(attack.packet.destination)) continue;
    if (attack.origin == Origin::Outside) continue;
    EXPECT_TRUE(attack.packet.destination_port == 53 || attack.packet.destination_port == 853)
        << attack.id();
  }
  EXPECT_TRUE(attacks(catalogue, LeakClass::LanResolver, net::Family::V4, Origin::Local));
  const bool says_so = std::ranges::any_of(catalogue.untried, [](const Untried& untried) {
    return untried.reason == "the policy allows 192.168.1.0/24";
  });
  EXPECT_TRUE(says_so);
}

TEST(Catalogue, NeverSendsTheTunnelsOwnDatagrams) {
  const hostnet::LockPolicy policy = sample_policy();
  for (const Attack& attack : catalogue_of(policy).attacks) {
    const bool is_transport = attack.mark == policy.mark.value &&
                              attack.packet.protocol == ProbeProtocol::Udp &&
                              attack.packet.destination == policy.endpoints[0].address &&
                              attack.packet.destination_port == policy.endpoints[0].port;
    EXPECT_FALSE(is_transport) << attack.id();
  }
}

}  // namespace
}  // namespace ginnel::leaks
