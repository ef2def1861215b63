// Who on this host decides which DNS servers are asked, and how it is told those of a tunnel.
#pragma once

#include <string>

#include "core/hostnet/resolver_stack.h"
#include "os/sysctl_claims.h"
#include "service/quick/interruption.h"

namespace ginnel::quick {

class Resolver {
 public:
  // `claims` says where ginnel keeps what it changed; borrowed for as long as this lives.
  Resolver(const os::SysctlClaims& claims, Interruption& interruption)
      : claims_(claims), interruption_(interruption) {}

  // What is to be told: "resolvconf", where there is such a program, else "file", which is
  // /etc/resolv.conf. Fails where neither would be heard.
  Result<std::string> choose() const;

  // `chosen` is what choose() once said. Again: replaces what was told before.
  Status tell(const std::string& chosen, const hostnet::WantedResolver& wanted) const;
  // Takes it back. With an empty `chosen` it does nothing.
  Status take_back(const std::string& chosen) const;

 private:
  Status run_resolvconf(std::vector<std::string> words, std::optional<std::string> input) const;

  const os::SysctlClaims& claims_;
  Interruption& interruption_;
};

}  // namespace ginnel::quick
