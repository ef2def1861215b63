// Who on this host decides which DNS servers are asked, and how it is told those of a tunnel.
#pragma once

#include <string>

#include "core/hostnet/standing_record.h"
#include "os/sysctl_claims.h"
#include "service/quick/interruption.h"

namespace ginnel::quick {

class Resolver {
 public:
  // `directory` is where ginnel keeps what it changed; `interruption` is borrowed for as long as
  // this lives.
  Resolver(std::string directory, hostnet::Owner owner, Interruption& interruption)
      : directory_(std::move(directory)), owner_(std::move(owner)), interruption_(interruption) {}
  Resolver(const os::SysctlClaims& claims, Interruption& interruption)
      : Resolver(claims.directory(), claims.owner(), interruption) {}

  struct Choice {
    // "resolved", where systemd-resolved runs and is asked; else "resolvconf", where there is such
    // a program; else "file", which is /etc/resolv.conf. Empty: nobody.
    std::string name{};
    // For systemd-resolved: the link that has the servers. Empty: the owner's interface.
    std::string link{};
    // Links that are to answer for no name but their own domains' from then on.
    std::vector<std::string> silenced{};
  };
  // Who is to be told. Fails where nobody would hear it.
  Result<Choice> choose() const;

  // `choice` is what choose() once said. Again: replaces what was told before.
  Status tell(const Choice& choice, const hostnet::WantedResolver& wanted) const;
  // Takes it back. With an empty choice it does nothing.
  Status take_back(const Choice& choice) const;
  // Once another link has the servers: this one has none any more.
  Status leave_link(const Choice& choice, const std::string& link) const;

 private:
  Status tell_resolved(const Choice& choice, const hostnet::WantedResolver& wanted) const;
  Status untell_resolved(const Choice& choice) const;
  Status run_resolvconf(std::vector<std::string> words, std::optional<std::string> input) const;

  const std::string& link_of(const Choice& choice) const {
    return choice.link.empty() ? owner_.interface : choice.link;
  }

  std::string directory_;
  hostnet::Owner owner_;
  Interruption& interruption_;
};

// Who was told of what stands.
Resolver::Choice choice_of(const hostnet::StandingRecord& record);

}  // namespace ginnel::quick
