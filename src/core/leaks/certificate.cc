#include "core/leaks/certificate.h"

#include <algorithm>

namespace ginnel::leaks {
namespace {

constexpr std::size_t kControl = 0;

// The worst first: what has escaped is not made good by what was not seen.
int badness(Verdict verdict) {
  switch (verdict) {
    case Verdict::Escaped:
      return 3;
    case Verdict::Invalid:
      return 2;
    case Verdict::Passed:
      return 1;
    case Verdict::Skipped:
      return 0;
  }
  std::unreachable();
}
Verdict worse(Verdict a, Verdict b) { return badness(a) >= badness(b) ? a : b; }

// A phase has a class of its own where the event is what is tested; live flows keep theirs, where
// it is what becomes of them that is asked.
LeakClass class_of(const Phase& phase, const Attack& attack) {
  const bool is_tunnels = phase.leak_class == LeakClass::TunnelGone;
  if (is_tunnels && attack.way == Way::LiveDatagram) return LeakClass::LiveFlow;
  return phase.leak_class.value_or(attack.leak_class);
}

}  // namespace

std::string_view name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::Passed:
      return "passed";
    case Verdict::Escaped:
      return "escaped";
    case Verdict::Invalid:
      return "invalid";
    case Verdict::Skipped:
      return "skipped";
  }
  std::unreachable();
}

std::uint64_t Certificate::tried() const {
  std::uint64_t sum = 0;
  for (const Cell& cell : cells) sum += cell.tried;
  return sum;
}

std::uint64_t Certificate::escaped() const {
  std::uint64_t sum = stray_frames;
  for (const Cell& cell : cells) sum += cell.escaped;
  return sum;
}

Verdict Certificate::verdict() const {
  Verdict found = stray_frames > 0 ? Verdict::Escaped : Verdict::Skipped;
  if (lost_frames > 0) found = worse(found, Verdict::Invalid);
  for (const Cell& cell : cells) found = worse(found, cell.verdict);
  // Without cells there is no proof, whatever the checks say.
  if (found == Verdict::Skipped) return Verdict::Invalid;
  for (const Check& check : checks) found = worse(found, check.verdict);
  return found;
}

std::vector<ClassSummary> Certificate::summary() const {
  std::vector<ClassSummary> classes;
  for (const LeakClassInfo& info : leak_classes()) {
    ClassSummary summary{.leak_class = info.leak_class};
    for (const Cell& cell : cells) {
      if (cell.leak_class != info.leak_class) continue;
      ++summary.cells;
      summary.skipped += cell.verdict == Verdict::Skipped ? 1 : 0;
      summary.tried += cell.tried;
      summary.sent += cell.sent;
      summary.escaped += cell.escaped;
      summary.verdict = worse(summary.verdict, cell.verdict);
    }
    classes.push_back(summary);
  }
  return classes;
}

Tally::Tally(const Catalogue& catalogue, std::vector<Phase> phases)
    : catalogue_(catalogue),
      phases_(std::move(phases)),
      counts_(phases_.size(), std::vector<Count>(catalogue.attacks.size())),
      skipped_(phases_.size()) {}

void Tally::note_try(std::size_t phase, std::size_t attack, bool accepted) {
  Count& count = counts_[phase][attack];
  ++count.tried;
  count.sent += accepted ? 1 : 0;
}

void Tally::note_seen(const ProbeTag& tag) {
  if (tag.phase >= phases_.size() || tag.attack >= catalogue_.attacks.size()) return;
  ++counts_[tag.phase][tag.attack].seen;
}

std::vector<std::size_t> Tally::unseen_in_control() const {
  std::vector<std::size_t> unseen;
  for (std::size_t i = 0; i < catalogue_.attacks.size(); ++i) {
    if (counts_[kControl][i].seen == 0) unseen.push_back(i);
  }
  return unseen;
}

Cell Tally::judge(std::size_t phase, std::size_t attack) const {
  const Attack& what = catalogue_.attacks[attack];
  const Count& count = counts_[phase][attack];
  Cell cell{.leak_class = class_of(phases_[phase], what),
            .attack = what.name,
            .device = what.device,
            .family = what.family == net::Family::V4 ? "v4" : "v6",
            .origin = name_of(what.origin),
            .way = name_of(what.way),
            .phase = phases_[phase].name,
            .state = name_of(phases_[phase].state),
            .tried = count.tried,
            .sent = count.sent,
            .escaped = count.seen};
  if (count.seen > 0) {
    cell.verdict = Verdict::Escaped;
  } else if (!skipped_[phase].empty()) {
    cell.reason = skipped_[phase];
  } else if (counts_[kControl][attack].seen == 0) {
    cell.verdict = Verdict::Invalid;
    cell.reason = "it was not seen with the lock off either";
  } else if (count.tried == 0) {
    cell.reason = "the phase was not reached";
  } else {
    cell.verdict = Verdict::Passed;
  }
  return cell;
}

std::vector<Cell> Tally::cells() const {
  std::vector<Cell> cells;
  for (std::size_t phase = kControl + 1; phase < phases_.size(); ++phase) {
    for (std::size_t i = 0; i < catalogue_.attacks.size(); ++i) cells.push_back(judge(phase, i));
  }
  return cells;
}

}  // namespace ginnel::leaks
