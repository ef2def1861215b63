// A test that cannot fail is worth nothing: each hole that is cut into the lock has to be found, in
// the class that it belongs to, and the two layers that stop packets hold by themselves.
#include "service/leaktest/leak_test.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>

#include "unit/core/leaks/leak_samples.h"

namespace ginnel::leaktest {
namespace {

namespace nft = hostnet::nft;
using leaks::Verdict;
using Tables = std::vector<nft::Table>;

// What is told across the process that the test ruins for anything else: a line for the verdict,
// one for each attack of a cell that is not as it should be, or an error.
std::set<std::string> lines_of(const Result<leaks::Certificate>& certificate) {
  if (!certificate) return {"error: " + certificate.error().message};
  std::set<std::string> lines = {std::string(name_of(certificate->verdict()))};
  for (const leaks::Cell& cell : certificate->cells) {
    if (cell.verdict == Verdict::Passed || cell.verdict == Verdict::Skipped) continue;
    lines.insert(id_of(cell.leak_class) + " " + cell.attack);
  }
  for (const leaks::Check& check : certificate->checks) {
    if (check.verdict != Verdict::Passed) lines.insert("check: " + check.name + check.detail);
  }
  for (const std::string& stray : certificate->strays) lines.insert("stray: " + stray);
  return lines;
}

class LeakTestTest : public testing::Test {
 protected:
  std::set<std::string> run() {
    int ends[2];
    if (pipe(ends) != 0) return {"no pipe"};
    const pid_t child = fork();
    if (child == 0) {
      std::string text;
      for (const std::string& line : lines_of(run_leak_test(test_))) text += line + "\n";
      const bool told = write(ends[1], text.data(), text.size()) == std::ssize(text);
      _exit(told ? 0 : 1);
    }
    close(ends[1]);
    std::string text;
    char room[4096];
    for (ssize_t got = 0; (got = read(ends[0], room, sizeof room)) > 0;) {
      text.append(room, static_cast<std::size_t>(got));
    }
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
    std::set<std::string> lines;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = text.find('\n', at);
      lines.insert(text.substr(at, end - at));
      at = end + 1;
    }
    return lines;
  }

  LeakTest test_{.host = leaks::sample_host(), .policy = leaks::sample_policy(), .swaps = 4};
};

nft::Chain& chain(Tables& tables, std::string_view name) {
  for (nft::Table& table : tables) {
    const auto found = std::ranges::find(table.chains, name, &nft::Chain::name);
    if (found != table.chains.end()) return *found;
  }
  ADD_FAILURE() << "no chain " << name;
  return tables.front().chains.front();
}
void open_chain(nft::Chain& chain) {
  chain.rules.clear();
  if (chain.base) chain.base->policy = nft::Policy::Accept;
}
void open_devices(Tables& tables) {
  for (nft::Table& table : tables) {
    if (table.family != nft::Family::Netdev) continue;
    for (nft::Chain& each : table.chains) open_chain(each);
  }
}
void let_first(nft::Chain& chain, std::vector<nft::Term> terms) {
  terms.emplace_back(nft::Accept{});
  chain.rules.insert(chain.rules.begin(), {.terms = std::move(terms)});
}
void expect_found(const std::set<std::string>& lines, const std::string& line) {
  EXPECT_TRUE(lines.contains(line)) << line << " is not among " << testing::PrintToString(lines);
}

TEST_F(LeakTestTest, PassesALockThatHolds) { EXPECT_EQ(run(), std::set<std::string>{"passed"}); }

TEST_F(LeakTestTest, PassesALockWithoutATunnel) {
  test_.policy = {.state = hostnet::LockState::Locked, .holder = "killswitch"};
  EXPECT_EQ(run(), std::set<std::string>{"passed"});
}

TEST_F(LeakTestTest, PassesALockWithAnotherTunnelThatStandsBy) {
  test_.policy.tunnels = {"wg0", "wg1"};
  test_.policy.endpoints.push_back(net::Endpoint::parse("198.51.100.2:51821").value());
  EXPECT_EQ(run(), std::set<std::string>{"passed"});
}

// The filter by itself keeps everything in but what does not pass it.
TEST_F(LeakTestTest, FindsRawFramesWithoutTheDevicesLayer) {
  test_.weaken = &open_devices;
  const std::set<std::string> lines = run();
  expect_found(lines, "escaped");
  expect_found(lines, "L19 frame");
  expect_found(lines, "L19 frame-past-queue");
  for (const std::string& line : lines) {
    EXPECT_TRUE(line == "escaped" || line.find("frame") != std::string::npos) << line;
  }
}

// And so does the layer of devices. Only that names may be asked of anybody through the tunnel is
// none of its business.
TEST_F(LeakTestTest, HoldsByTheDevicesLayerAlone) {
  test_.weaken = [](Tables& tables) {
    for (std::string_view name : {"output", "forwarded", "input", "leaving", "dns"}) {
      open_chain(chain(tables, name));
    }
  };
  std::set<std::string> lines = run();
  std::erase_if(lines, [](const std::string& line) { return line.starts_with("check: "); });
  lines.erase("escaped");
  EXPECT_EQ(lines, std::set<std::string>{});
}

// Of a host that translates nothing: a flow that was translated for one interface is dropped at
// another.
TEST_F(LeakTestTest, FindsARuleForEstablishedConnections) {
  test_.policy.lans.clear();
  test_.weaken = [](Tables& tables) {
    let_first(chain(tables, "output"), {nft::ConnStateIn{nft::kEstablished}});
    open_devices(tables);
  };
  expect_found(run(), "L4 live-flow");
}

TEST_F(LeakTestTest, FindsAnEndpointThatIsOpenWithoutTheMark) {
  test_.weaken = [](Tables& tables) {
    const nft::AddressIn peer{.side = nft::Side::Destination,
                              .prefixes = {leaks::to_prefix("198.51.100.1/32")}};
    let_first(chain(tables, "output"), {peer});
    let_first(chain(tables, "egress-eth0"), {peer});
  };
  const std::set<std::string> lines = run();
  expect_found(lines, "L13 bound-endpoint");
  expect_found(lines, "L13 marked-endpoint-tcp");
  expect_found(lines, "L13 marked-other-port");
}

TEST_F(LeakTestTest, FindsAMarkThatOpensEverything) {
  test_.weaken = [](Tables& tables) {
    const nft::MarkIs mark{.value = 0x8888, .mask = 0xffff};
    let_first(chain(tables, "output"), {mark});
    let_first(chain(tables, "egress-eth0"), {mark});
  };
  const std::set<std::string> lines = run();
  expect_found(lines, "L24 marked");
  expect_found(lines, "L14 marked-name-lookup");
}

// While the rules of routing stand, they lead into the tunnel.
TEST_F(LeakTestTest, FindsForwardingPastTheTunnel) {
  test_.weaken = [](Tables& tables) {
    open_chain(chain(tables, "forwarded"));
    open_devices(tables);
  };
  const std::set<std::string> lines = run();
  expect_found(lines, "L11 tcp");
  expect_found(lines, "L3 datagram");
}

TEST_F(LeakTestTest, FindsAResolverOnTheLocalNetwork) {
  test_.policy.allowed = {leaks::to_prefix("192.168.1.0/24")};
  test_.weaken = [](Tables& tables) {
    for (std::string_view name : {"output", "egress-eth0"}) {
      std::erase_if(chain(tables, name).rules, [](const nft::Rule& rule) {
        const auto* ports = std::get_if<nft::PortIn>(&rule.terms.front());
        return ports && ports->ports.size() == 2 && ports->ports[0].first == 53;
      });
    }
  };
  expect_found(run(), "L15 lan-dns");
}

// Where there is no way on, the host says so to whoever the packet claims to be of, and quotes it.
TEST_F(LeakTestTest, FindsErrorsThatQuoteWhatAContainerForged) {
  test_.policy.allowed = {leaks::to_prefix("192.168.1.0/24"), leaks::to_prefix("2001:db8:77::/64")};
  EXPECT_EQ(run(), std::set<std::string>{"passed"});
  test_.weaken = [](Tables& tables) {
    std::erase_if(chain(tables, "guard").rules, [](const nft::Rule& rule) {
      return std::holds_alternative<nft::AddressIn>(rule.terms.front());
    });
  };
  const std::set<std::string> lines = run();
  expect_found(lines, "L25 forged-source");
  expect_found(lines, "L25 forged-allowed-source");
  expect_found(lines, "L30 forged-source-last-hop");
}

TEST_F(LeakTestTest, FindsThatTheTunnelsAddressAnswers) {
  test_.weaken = [](Tables& tables) {
    for (std::string_view name : {"guard", "input", "output"}) open_chain(chain(tables, name));
    open_devices(tables);
  };
  const std::set<std::string> lines = run();
  expect_found(lines, "L3 ping-tunnel-address");
  expect_found(lines, "L11 ping-from-outside");
}

}  // namespace
}  // namespace ginnel::leaktest
