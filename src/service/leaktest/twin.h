// A host's twin in network namespaces of this process: built from a plan, attacked through its
// sockets, gone with the process. The calling thread is in the host's own namespace; an internet
// and the members of its LANs are in two others. REQUIRES: os::enter_hidden_space() was called.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "core/leaks/attack.h"
#include "core/leaks/twin_plan.h"
#include "os/network_namespace.h"
#include "os/probe_socket.h"
#include "os/rtnetlink.h"
#include "os/sysctl_tree.h"

namespace ginnel::leaktest {

class Twin {
  struct Key {};  // Only build() makes one.

 public:
  static Result<std::unique_ptr<Twin>> build(leaks::TwinPlan plan);
  Twin(Key, leaks::TwinPlan plan, os::Rtnetlink rtnetlink)
      : plan_(std::move(plan)), rtnetlink_(std::move(rtnetlink)) {}

  const leaks::TwinPlan& plan() const { return plan_; }
  os::Rtnetlink& rtnetlink() { return rtnetlink_; }
  bool has_ipv6() const { return has_ipv6_; }

  // Run on a thread of their own, in the internet and among the members.
  Status in_internet(const std::function<Status()>& work) const;
  Status among_members(const std::function<Status()>& work) const;

  // Where uplinks end: frames that the host sends arrive there.
  std::vector<os::CaptureSocket>& captures() { return captures_; }

  // Adds the routes of the plan that are missing: those of an interface go with it.
  Status add_routes();
  // The same, and the addresses of one: after it was down.
  Status restore(const std::string& interface);

  // The other end of the cable of an interface, or of the first port of a bridge.
  const leaks::TwinLink& cable_of(const std::string& interface) const;

 private:
  Status prepare_space(bool is_host) const;
  Status make_spaces();
  Status make_link(const leaks::TwinLink& link);
  Status start_far_end(const leaks::TwinLink& link);
  Status start_internet();
  Status start_members();
  Status open_captures();

  leaks::TwinPlan plan_;
  os::Rtnetlink rtnetlink_;
  std::optional<os::NetworkNamespace> internet_;
  std::optional<os::NetworkNamespace> members_;
  std::vector<os::CaptureSocket> captures_;
  bool has_ipv6_ = true;
};

}  // namespace ginnel::leaktest
