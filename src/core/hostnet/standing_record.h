// What an owner without a process of its own (`ginnel up`) did to a host, so that another process
// can change it or take it back. Written before anything is done, so it may say more than was. A
// value and its text form; the kernel settings are in sysctl_ledger.h instead.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "core/hostnet/host_state.h"
#include "core/hostnet/owner.h"
#include "core/hostnet/plan.h"
#include "core/hostnet/resolver_stack.h"

namespace ginnel::hostnet {

struct StandingRecord {
  static constexpr std::size_t kMaxTextSize = std::size_t{128} * 1024 * 1024;
  static constexpr std::size_t kMaxRules = 1024;
  static constexpr std::size_t kMaxDns = 1024;
  static constexpr std::size_t kMaxSilenced = 1024;
  static constexpr std::size_t kMaxAddresses = 4096;
  static constexpr std::size_t kMaxRoutes = std::size_t{2} * 1024 * 1024;

  std::string boot{};  // Nothing of it survives another one.
  Owner owner{};
  std::string configuration{};  // The file's path.
  std::string backend{};        // "userspace", "kernel", "program".
  std::uint32_t index = 0;      // The interface's, which stays when its name changes. 0: not known.
  bool risen = false;           // Else it was not all done, or its commands were not all run.
  std::string resolver{};       // Who was told of DNS servers; empty: nobody.
  WantedResolver dns{};         // What it was told.
  // Links that answered for every name until then, and do not while this stands.
  std::vector<std::string> silenced{};
  std::uint32_t mtu = 0;
  std::uint16_t listen_port = 0;  // Chosen by chance, not by the file. 0: not so.
  std::uint32_t fwmark = 0;       // The same.
  std::uint32_t file_fwmark = 0;  // The file's.
  FormerInterface interface{};
  std::vector<RoutingRule> rules{};

  // The record's own interface among these, whatever it is called by now. Null: it is gone; one
  // that has its name may be another's.
  const Link* find_link(const std::vector<Link>& links) const;

  std::string to_text() const;
  // Fails, naming the line, on what to_text() did not write.
  static Result<StandingRecord> parse(std::string_view text);

  friend bool operator==(const StandingRecord&, const StandingRecord&) = default;
};

}  // namespace ginnel::hostnet
