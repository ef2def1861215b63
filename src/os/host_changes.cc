#include "os/host_changes.h"

#include <algorithm>
#include <tuple>

namespace ginnel::os {
namespace {

// An interface may go at any moment, with all that is on it: what was to be removed is gone then.
bool was_gone(const hostnet::Operation& operation, const Status& applied) {
  const bool removes = std::holds_alternative<hostnet::RemoveAddress>(operation) ||
                       std::holds_alternative<hostnet::RemoveRoute>(operation) ||
                       std::holds_alternative<hostnet::RemoveRule>(operation);
  return removes && !applied && applied.error().code == ErrorCode::NotFound;
}

}  // namespace

Status HostChanges::apply(Rtnetlink& rtnetlink, const std::vector<hostnet::Operation>& operations) {
  const std::size_t before = done_.size();
  for (const hostnet::Operation& operation : operations) {
    const Status applied = rtnetlink.apply(operation);
    if (was_gone(operation, applied)) continue;
    if (!applied) {
      // The refusal is what the caller has to hear of, not what follows from it.
      std::ignore = undo_down_to(rtnetlink, before);
      return applied;
    }
    done_.push_back(operation);
  }
  forget_undone(before);
  return ok();
}

Status HostChanges::apply_each(Rtnetlink& rtnetlink,
                               const std::vector<hostnet::Operation>& operations) {
  const std::size_t before = done_.size();
  Status outcome = ok();
  for (const hostnet::Operation& operation : operations) {
    const Status applied = rtnetlink.apply(operation);
    if (was_gone(operation, applied)) continue;
    if (applied) {
      done_.push_back(operation);
    } else if (outcome) {
      outcome = applied;
    }
  }
  forget_undone(before);
  return outcome;
}

// What takes an earlier operation back leaves nothing to undo: a host whose routes come and go for
// months has as much as one whose never did.
void HostChanges::forget_undone(std::size_t from) {
  for (std::size_t i = from; i < done_.size();) {
    const auto end = done_.begin() + static_cast<std::ptrdiff_t>(i);
    const auto undone = std::find(done_.begin(), end, hostnet::inverse(done_[i]));
    if (undone == end) {
      ++i;
      continue;
    }
    done_.erase(end);
    done_.erase(undone);
    --i;
  }
}

Status HostChanges::undo(Rtnetlink& rtnetlink) { return undo_down_to(rtnetlink, 0); }

Status HostChanges::undo_down_to(Rtnetlink& rtnetlink, std::size_t count) {
  Status outcome = ok();
  while (done_.size() > count) {
    const Status undone = rtnetlink.apply(hostnet::inverse(done_.back()));
    done_.pop_back();
    const bool gone = !undone && (undone.error().code == ErrorCode::NotFound ||
                                  undone.error().code == ErrorCode::InvalidArgument);
    if (!undone && !gone && outcome) outcome = undone;
  }
  return outcome;
}

}  // namespace ginnel::os
