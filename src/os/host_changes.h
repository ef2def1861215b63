// Changes to the host's networking that can be taken back, in reverse order.
#pragma once

#include <vector>

#include "core/hostnet/plan.h"
#include "os/rtnetlink.h"

namespace ginnel::os {

class HostChanges {
 public:
  // Carries out the operations in order. When one fails, those before it in this call are undone
  // and the error is returned. To remove what is gone already is no failure.
  Status apply(Rtnetlink& rtnetlink, const std::vector<hostnet::Operation>& operations);

  // Carries out all that can be, in order, and undoes nothing. The first failure is returned after
  // all were tried.
  Status apply_each(Rtnetlink& rtnetlink, const std::vector<hostnet::Operation>& operations);

  // Takes back everything that they did. What is gone already (an interface takes its addresses
  // and routes along) is no failure; the first real one is returned after all were tried.
  Status undo(Rtnetlink& rtnetlink);

  const std::vector<hostnet::Operation>& done() const { return done_; }

 private:
  Status undo_down_to(Rtnetlink& rtnetlink, std::size_t count);
  void forget_undone(std::size_t from);
  std::vector<hostnet::Operation> done_;
};

}  // namespace ginnel::os
