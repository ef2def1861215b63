#include "service/leaktest/leak_test.h"

#include <fmt/format.h>

#include <atomic>
#include <thread>

#include "base/version.h"
#include "core/leaks/sighting.h"
#include "http/rfc3339.h"
#include "os/clock.h"
#include "os/own_space.h"
#include "os/process.h"
#include "os/system_rng.h"
#include "service/killswitch/kill_switch.h"
#include "service/leaktest/prober.h"
#include "service/leaktest/twin_lock.h"

namespace ginnel::leaktest {
namespace {

using hostnet::LockState;
using leaks::Check;
using leaks::Event;
using leaks::FrameKind;
using leaks::Phase;
using leaks::Verdict;

constexpr std::size_t kControl = 0;
constexpr std::size_t kRounds = 2;           // How often each attack is sent in a phase.
constexpr std::size_t kMaxSwapRounds = 200;  // More would not fit where frames wait.
constexpr std::size_t kMaxStrays = 20;       // That are described.
// With the lock off, interfaces and neighbours may not be ready yet, and then nothing is proven.
constexpr Duration kControlPatience = 5s;
constexpr Duration kTunnelPatience = 6s;
constexpr Duration kReachPatience = 2s;
constexpr Duration kRefusalPatience = 400ms;  // For what is to fail.
// Frames are on the wire when they are sent; another CPU may take this long to bring them.
constexpr Duration kSettleTime = 20ms;
constexpr Duration kLastSettleTime = 300ms;

// What only a table that nobody else can change withstands.
bool is_owners(Event event) { return event == Event::Flushed || event == Event::OwnerKilled; }

class Run {
 public:
  explicit Run(const LeakTest& test) : test_(test) {}

  Result<leaks::Certificate> go();

 private:
  Status prepare();
  Status control();
  Status attack(std::size_t phase);
  Status swap(std::size_t phase);
  void drain();
  void look_at(ByteView frame);
  void settle(Duration time);
  leaks::Certificate certificate();

  void check_off();
  void check_locked();
  void check_connected();
  void check_without_tunnel();
  void expect_seen_as(std::string name, const Result<net::Address>& seen,
                      const std::vector<net::Address>& wanted);
  void expect_refused(std::string name, const Result<net::Address>& seen);
  Result<net::Address> ask_as_member(const net::Address& server) const;
  const net::Address& internet(net::Family family) const { return *twin_->plan().internet[family]; }
  bool carries(net::Family family) const;

  const LeakTest& test_;
  leaks::Certificate certificate_;
  os::Clock clock_;
  std::unique_ptr<Twin> twin_;
  std::unique_ptr<TwinLock> lock_;
  leaks::Catalogue catalogue_;
  std::vector<Phase> phases_;
  leaks::WireRules rules_;
  std::optional<leaks::Tally> tally_;
  std::optional<Prober> prober_;
  std::size_t wire_phase_ = kControl;  // Whose frames arrive.
  std::optional<std::size_t> reveal_;  // The attack that makes the host tell its tunnel's address.
};

Status Run::prepare() {
  if (Status hidden = os::enter_hidden_space(); !hidden) return hidden;
  auto twin = Twin::build(leaks::plan_twin(test_.host, test_.policy));
  if (!twin) return pass(std::move(twin));
  twin_ = std::move(*twin);
  auto lock = TwinLock::open(*twin_, test_);
  if (!lock) return pass(std::move(lock));
  lock_ = std::move(*lock);
  catalogue_ = leaks::make_catalogue(twin_->plan());
  if (!twin_->has_ipv6()) {
    const auto is_v6 = [](const leaks::Attack& a) { return a.family == net::Family::V6; };
    std::erase_if(catalogue_.attacks, is_v6);
    certificate_.notes.emplace_back("IPv6 was not tried: this kernel has none");
  }
  const auto reveals =
      std::ranges::find(catalogue_.attacks, leaks::Way::ArpQuestion, &leaks::Attack::way);
  if (reveals != catalogue_.attacks.end()) {
    reveal_ = static_cast<std::size_t>(reveals - catalogue_.attacks.begin());
  }
  phases_ = leaks::make_phases(test_.policy);
  os::SystemRng rng;
  rules_ = {.run = rng.number<std::uint64_t>(),
            .endpoints = test_.policy.endpoints,
            .tunnel_addresses = test_.policy.tunnel_addresses};
  rules_.transport_ports = lock_->transport_ports();
  tally_.emplace(catalogue_, phases_);
  auto prober = Prober::open(*twin_, catalogue_, rules_.run);
  if (!prober) return pass(std::move(prober));
  prober_ = std::move(*prober);
  return ok();
}

void Run::look_at(ByteView frame) {
  const leaks::Sighting sighting = classify(frame, rules_);
  switch (sighting.kind) {
    case FrameKind::Probe:
      return tally_->note_seen(sighting.tag);
    case FrameKind::Reveal:
      if (reveal_) {
        tally_->note_seen({.attack = static_cast<std::uint16_t>(*reveal_),
                           .phase = static_cast<std::uint16_t>(wire_phase_)});
      }
      return;
    case FrameKind::Housekeeping:
    case FrameKind::Transport:
      return;
    case FrameKind::Stray:
      if (wire_phase_ == kControl) return;
      ++certificate_.stray_frames;
      if (certificate_.strays.size() < kMaxStrays) {
        certificate_.strays.push_back(
            fmt::format("{}: {}", phases_[wire_phase_].name, leaks::describe_frame(frame)));
      }
      return;
  }
}

void Run::drain() {
  for (os::CaptureSocket& capture : twin_->captures()) {
    while (const auto frame = capture.next()) look_at(*frame);
    certificate_.lost_frames += capture.take_lost();
  }
}

void Run::settle(Duration time) {
  drain();
  std::this_thread::sleep_for(time);
  drain();
}

// Until each was seen. What was not may wait for a neighbour to be found, so it is sent again.
Status Run::control() {
  prober_->send_all(kControl, *tally_);
  const MonoTime deadline = clock_.mono() + kControlPatience;
  for (;;) {
    settle(kSettleTime);
    const auto has_session = lock_->has_session();
    if (!has_session) return std::unexpected(has_session.error());
    const bool is_ready = *has_session || !lock_->has_tunnel() || test_.policy.endpoints.empty();
    const std::vector<std::size_t> unseen = tally_->unseen_in_control();
    if ((unseen.empty() && is_ready) || clock_.mono() > deadline) break;
    for (const std::size_t i : unseen) prober_->send(i, kControl, *tally_);
  }
  check_off();
  return ok();
}

// The sender goes on whatever happens; what it sends is looked at afterwards.
Status Run::swap(std::size_t phase) {
  std::atomic<bool> is_over = false;
  std::jthread sender([&] {
    for (std::size_t round = 0; round < kMaxSwapRounds && !is_over; ++round) {
      prober_->send_all(phase, *tally_);
      std::this_thread::sleep_for(1ms);
    }
  });
  const LockState usual = phases_[phase].state;
  const LockState other = usual == LockState::Connected ? LockState::Connecting : LockState::Error;
  Status done = ok();
  for (std::size_t i = 0; done && i < test_.swaps; ++i) {
    done = lock_->change_state(i % 2 == 0 ? other : usual);
  }
  is_over = true;
  return done ? lock_->change_state(usual) : done;
}

Status Run::attack(std::size_t index) {
  const Phase& phase = phases_[index];
  const bool is_new_state = phases_[index - 1].state != phase.state;
  if (is_new_state) {
    if (Status changed = lock_->change_state(phase.state); !changed) return changed;
  }
  settle(kSettleTime);  // What was sent before is of the phase before.
  wire_phase_ = index;
  if (phase.state == LockState::Connected && phase.event == Event::None) {
    check_connected();
    if (Status connected = prober_->reconnect(); !connected) return connected;
  }
  if (phase.event != Event::None) {
    // Answers come back, so that they are live whatever was forgotten in between.
    prober_->send_live(index, *tally_);
    settle(kSettleTime);
  }
  if (Status begun = lock_->begin(phase.event); !begun) return begun;
  if (phase.event == Event::Swapped) {
    if (Status swapped = swap(index); !swapped) return swapped;
  } else {
    for (std::size_t round = 0; round < kRounds; ++round) prober_->send_all(index, *tally_);
  }
  if (phase.state == LockState::Locked && phase.event == Event::None) check_locked();
  if (phase.event == Event::TunnelDeleted) check_without_tunnel();
  settle(kSettleTime);
  return lock_->end(phase.event);
}

bool Run::carries(net::Family family) const {
  return std::ranges::any_of(test_.policy.tunnel_addresses,
                             [&](const net::Address& own) { return own.family() == family; });
}

void Run::expect_seen_as(std::string name, const Result<net::Address>& seen,
                         const std::vector<net::Address>& wanted) {
  Check check{.name = std::move(name)};
  if (!seen) {
    check.verdict = Verdict::Invalid;
    check.detail = seen.error().message;
  } else {
    const bool is_meant = std::ranges::find(wanted, *seen) != wanted.end();
    check.verdict = is_meant ? Verdict::Passed : Verdict::Escaped;
    check.detail = fmt::format("seen as {}", seen->to_string());
  }
  certificate_.checks.push_back(std::move(check));
}

void Run::expect_refused(std::string name, const Result<net::Address>& seen) {
  certificate_.checks.push_back(
      {.name = std::move(name),
       .verdict = seen ? Verdict::Escaped : Verdict::Passed,
       .detail = seen ? fmt::format("seen as {}", seen->to_string()) : "not reached"});
}

Result<net::Address> Run::ask_as_member(const net::Address& server) const {
  Result<net::Address> seen = fail(ErrorCode::Unavailable, "not asked");
  const Status asked = twin_->among_members([&]() -> Status {
    seen = ask_web(server, kReachPatience);
    return ok();
  });
  return asked ? seen : std::unexpected(asked.error());
}

// Without the lock everything is in the open: else what fails later proves nothing.
void Run::check_off() {
  const leaks::TwinUplink& uplink = twin_->plan().first_uplink();
  for (net::Family family : leaks::kFamilies) {
    if (family == net::Family::V6 && !twin_->has_ipv6()) continue;
    const std::string suffix = family == net::Family::V4 ? "IPv4" : "IPv6";
    expect_seen_as("lock off: external address, " + suffix,
                   ask_web(internet(family), kReachPatience), {uplink.ends[family]->own});
  }
  expect_seen_as("lock off: resolver of the local network",
                 ask_name(uplink.ends[net::Family::V4]->neighbour, kReachPatience),
                 {uplink.ends[net::Family::V4]->own});
}

void Run::check_locked() {
  expect_refused("locked: external address, IPv4",
                 ask_web(internet(net::Family::V4), kRefusalPatience));
}

void Run::check_connected() {
  const hostnet::LockPolicy& policy = test_.policy;
  for (net::Family family : leaks::kFamilies) {
    if (family == net::Family::V6 && !twin_->has_ipv6()) continue;
    const std::string name =
        fmt::format("connected: external address, {}", family == net::Family::V4 ? "IPv4" : "IPv6");
    if (carries(family)) {
      expect_seen_as(name, ask_web(internet(family), kTunnelPatience), policy.tunnel_addresses);
    } else {
      expect_refused(name, ask_web(internet(family), kRefusalPatience));
    }
  }
  for (const net::Address& server : policy.dns) {
    if (!carries(server.family()) || (!server.is_v4() && !twin_->has_ipv6())) continue;
    expect_seen_as(fmt::format("connected: resolver {}", server.to_string()),
                   ask_name(server, kReachPatience), policy.tunnel_addresses);
  }
  const net::Address& local = twin_->plan().first_uplink().ends[net::Family::V4]->neighbour;
  expect_refused("connected: resolver of the local network", ask_name(local, kRefusalPatience));
  for (net::Family family : leaks::kFamilies) {
    const auto& member = twin_->plan().members.front();
    if (member.role != leaks::Role::Lan || !carries(family)) continue;
    if (member.ends[family]->host.is_unspecified()) continue;
    if (family == net::Family::V6 && !twin_->has_ipv6()) continue;
    expect_seen_as(fmt::format("connected: external address of a LAN member, {}",
                               family == net::Family::V4 ? "IPv4" : "IPv6"),
                   ask_as_member(internet(family)), policy.tunnel_addresses);
  }
}

void Run::check_without_tunnel() {
  for (net::Family family : leaks::kFamilies) {
    if (family == net::Family::V6 && !twin_->has_ipv6()) continue;
    expect_refused(fmt::format("tunnel deleted: external address, {}",
                               family == net::Family::V4 ? "IPv4" : "IPv6"),
                   ask_web(internet(family), kRefusalPatience));
  }
}

leaks::Certificate Run::certificate() {
  hostnet::LockPolicy policy = test_.policy;
  policy.devices = lockable_devices(test_.host, policy.tunnels, policy.lans);
  policy.own_addresses = addresses_to_answer_from(test_.host, policy);
  certificate_.ruleset = killswitch::ruleset_hash(policy);
  certificate_.kernel = os::kernel_release();
  certificate_.program = kProgramVersion;
  certificate_.date = http::to_rfc3339(clock_.unix_exact());
  certificate_.holder = policy.holder;
  certificate_.cells = tally_->cells();
  certificate_.untried = catalogue_.untried;
  for (const std::string& name : twin_->plan().left_out) {
    certificate_.notes.push_back(
        fmt::format("interface {} was left out: there are too many", name));
  }
  return std::move(certificate_);
}

Result<leaks::Certificate> Run::go() {
  if (Status prepared = prepare(); !prepared) return pass(std::move(prepared));
  if (Status seen = control(); !seen) return pass(std::move(seen));
  for (std::size_t i = kControl + 1; i < phases_.size(); ++i) {
    if (test_.check) {
      if (Status wanted = test_.check(); !wanted) return pass(std::move(wanted));
    }
    if (phases_[i].event == Event::Swapped && test_.swaps == 0) {
      tally_->skip(i, "not asked for");
      continue;
    }
    if (is_owners(phases_[i].event)) {
      const auto owned = lock_->is_owned();
      if (!owned) return std::unexpected(owned.error());
      if (!*owned) {
        tally_->skip(i, "plain tables can be taken away, until the watcher puts them back");
        continue;
      }
    }
    if (Status done = attack(i); !done) {
      return fail(done.error().code,
                  fmt::format("phase {}: {}", phases_[i].name, done.error().message));
    }
  }
  settle(kLastSettleTime);
  return certificate();
}

}  // namespace

Result<leaks::Certificate> run_leak_test(const LeakTest& test) {
  constexpr std::uint32_t kRoot = 0;
  const auto& split = test.policy.split;
  if (std::ranges::find(split, kRoot, &hostnet::SplitProgram::user) != split.end()) {
    return fail(ErrorCode::Unsupported,
                "the lock lets go whatever root runs (--split-uid 0), and so it would this test");
  }
  return Run(test).go();
}

}  // namespace ginnel::leaktest
