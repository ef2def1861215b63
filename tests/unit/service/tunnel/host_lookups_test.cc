#include "service/tunnel/host_lookups.h"

#include <gtest/gtest.h>

#include <future>
#include <map>

#include "os/poller.h"

namespace ginnel::tunnel {
namespace {

using Addresses = std::vector<net::Address>;

// Waits until `count` answers are there.
std::map<std::string, Result<Addresses>> take(HostLookups& lookups, std::size_t count) {
  auto poller = os::Poller::create();
  EXPECT_TRUE(poller->add(lookups.fd(), 0, os::Interest::Read));
  std::map<std::string, Result<Addresses>> taken;
  while (taken.size() < count) {
    poller->wait_until(kNever);
    for (auto& answer : lookups.take_answers()) {
      taken.emplace(answer.name, std::move(answer.addresses));
    }
  }
  return taken;
}

TEST(HostLookups, AnswerWhatWasAsked) {
  const Addresses found = {*net::Address::parse("192.0.2.7")};
  auto lookups = HostLookups::create([&](const std::string& name) -> Result<Addresses> {
    if (name == "a") return found;
    return fail(ErrorCode::NotFound, "look up " + name + ": not known");
  });
  ASSERT_TRUE(lookups);
  EXPECT_TRUE(lookups->take_answers().empty());
  lookups->ask("a");
  lookups->ask("b");
  const auto answers = take(*lookups, 2);
  EXPECT_EQ(*answers.at("a"), found);
  EXPECT_EQ(answers.at("b").error().message, "look up b: not known");
}

TEST(HostLookups, RunBesideEachOtherUpToTheirLimit) {
  std::promise<void> release;
  const std::shared_future<void> released = release.get_future().share();
  auto lookups = HostLookups::create([released](const std::string& name) -> Result<Addresses> {
    if (name != "quick") released.wait();
    return Addresses{};
  });
  ASSERT_TRUE(lookups);
  for (std::size_t i = 1; i < HostLookups::kMaxPending; ++i) lookups->ask(std::to_string(i));
  lookups->ask("quick");
  EXPECT_TRUE(take(*lookups, 1).contains("quick"));
  lookups->ask("last");
  EXPECT_DEATH(lookups->ask("one more"), "");
  release.set_value();
  EXPECT_EQ(take(*lookups, HostLookups::kMaxPending).size(), HostLookups::kMaxPending);
}

TEST(HostLookups, DoNotHoldWhoEnds) {
  std::promise<void> release, finished;
  const std::shared_future<void> released = release.get_future().share();
  {
    auto lookups = HostLookups::create([&, released](const std::string&) -> Result<Addresses> {
      released.wait();
      finished.set_value();
      return Addresses{};
    });
    ASSERT_TRUE(lookups);
    lookups->ask("slow");
  }
  release.set_value();
  finished.get_future().wait();
}

}  // namespace
}  // namespace ginnel::tunnel
