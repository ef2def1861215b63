// What a leak test has found: a cell for each attack in each phase, and what may be said of it. A
// cell whose control failed proves nothing and never counts as passed. Pure.
#pragma once

#include <string>
#include <vector>

#include "core/leaks/attack.h"
#include "core/leaks/phase.h"

namespace ginnel::leaks {

enum class Verdict : std::uint8_t {
  Passed,
  Escaped,
  Invalid,  // The control did not see it either.
  Skipped,  // It was not tried; the reason says why.
};
std::string_view name_of(Verdict verdict);

struct Cell {
  LeakClass leak_class{};
  std::string attack{};
  std::string device{};
  std::string_view family{};  // "v4"
  std::string_view origin{};
  std::string_view way{};
  std::string phase{};
  std::string_view state{};  // Of the lock.
  std::uint64_t tried = 0;
  std::uint64_t sent = 0;  // Of those, what the kernel did not refuse at once.
  std::uint64_t escaped = 0;
  Verdict verdict = Verdict::Skipped;
  std::string reason{};
};

// Something that has to work, or to fail, as a user would see it.
struct Check {
  std::string name{};
  Verdict verdict = Verdict::Skipped;  // Escaped: what must not be reached was.
  std::string detail{};
};

struct ClassSummary {
  LeakClass leak_class{};
  std::size_t cells = 0;
  std::size_t skipped = 0;
  std::uint64_t tried = 0;
  std::uint64_t sent = 0;
  std::uint64_t escaped = 0;
  Verdict verdict = Verdict::Skipped;  // The worst of its cells.
};

struct Certificate {
  std::string ruleset{};  // Its hash.
  std::string kernel{};
  std::string program{};
  std::string date{};
  std::string holder{};  // Of the lock.
  std::vector<Check> checks{};
  std::vector<Cell> cells{};
  std::vector<Untried> untried{};
  std::vector<std::string> strays{};  // Frames that nobody expected while the lock was on.
  std::uint64_t stray_frames = 0;
  std::uint64_t lost_frames = 0;  // That were not captured for want of room: what is said of them?
  std::vector<std::string> notes{};

  std::uint64_t tried() const;
  std::uint64_t escaped() const;
  // The worst that was found. Passed needs at least one cell that passed.
  Verdict verdict() const;
  // Of every class, in their order.
  std::vector<ClassSummary> summary() const;
};

// Counts what is sent and seen.
class Tally {
 public:
  Tally(const Catalogue& catalogue, std::vector<Phase> phases);

  void note_try(std::size_t phase, std::size_t attack, bool accepted);
  // Tags of other tests are none of ours. Those may come late: they say when they were sent.
  void note_seen(const ProbeTag& tag);
  // While the lock is off, each attack has to be seen.
  std::vector<std::size_t> unseen_in_control() const;

  // Its cells are skipped for this reason.
  void skip(std::size_t phase, std::string reason) { skipped_[phase] = std::move(reason); }

  std::vector<Cell> cells() const;

 private:
  struct Count {
    std::uint64_t tried = 0;
    std::uint64_t sent = 0;
    std::uint64_t seen = 0;
  };
  Cell judge(std::size_t phase, std::size_t attack) const;

  const Catalogue& catalogue_;
  std::vector<Phase> phases_;
  std::vector<std::vector<Count>> counts_;  // By phase, then attack.
  std::vector<std::string> skipped_;        // By phase; empty: not.
};

}  // namespace ginnel::leaks
