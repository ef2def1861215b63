// From what a person asked for to a kill switch's policy. Reads the tunnel's file and looks names
// up; changes nothing.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/hostnet/lock_policy.h"
#include "service/quick/interruption.h"
#include "service/quick/source.h"

namespace ginnel::killswitch {

// As it was written.
struct Request {
  std::string configuration{};  // Of the tunnel; empty: nothing leaves at all.
  std::vector<std::string> allow{};
  std::vector<std::string> manage{};
  std::vector<std::string> dhcp{};
  std::vector<std::string> dns{};  // Instead of the file's.
  std::vector<std::string> split_users{};
  std::vector<std::string> split_cgroups{};
  bool split_dns = false;
  std::optional<std::string> mark{};
  bool lan_access = false;
  bool owned = true;
  std::string ssh_connection{};     // Of the session that asks; empty: none.
  quick::LockedEndpoints locked{};  // By the lock that stands, for names that cannot be asked for.
};

// Fails with one line that names the flag, or the file and its line.
Result<hostnet::LockPolicy> policy_of(const Request& request, const hostnet::HostState& host,
                                      quick::Interruption& interruption);

// The mark of the datagrams of a tunnel that takes everything, by the rule that its unmarked
// packets follow; nothing when there is no such rule.
std::optional<std::uint32_t> mark_on_host(const hostnet::HostState& host,
                                          const std::string& interface);

}  // namespace ginnel::killswitch
