#include "os/host_changes.h"

#include <tuple>

namespace ginnel::os {

Status HostChanges::apply(Rtnetlink& rtnetlink, const std::vector<hostnet::Operation>& operations) {
  const std::size_t before = done_.size();
  for (const hostnet::Operation& operation : operations) {
    if (Status applied = rtnetlink.apply(operation); !applied) {
      // The refusal is what the caller has to hear of, not what follows from it.
      std::ignore = undo_down_to(rtnetlink, before);
      return applied;
    }
    done_.push_back(operation);
  }
  return ok();
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
