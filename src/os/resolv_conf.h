// /etc/resolv.conf as the tunnels of this host share it: core/hostnet/resolver_stack.h, kept in a
// file.
#pragma once

#include <string>

#include "core/hostnet/resolver_stack.h"
#include "os/sysctl_claims.h"

namespace ginnel::os {

class ResolvConf {
 public:
  static constexpr std::size_t kMaxSize = std::size_t{256} * 1024;

  // `directory` is where the stack is kept. `path` differs in tests only.
  explicit ResolvConf(std::string directory, std::string path = "/etc/resolv.conf")
      : directory_(std::move(directory)), path_(std::move(path)) {}

  Status push(const hostnet::Owner& owner, const hostnet::WantedResolver& wanted) const;
  // Of an owner that has nothing there, it does nothing.
  Status pop(const hostnet::Owner& owner) const;

  // What stood there before anybody here changed it. Nothing: nobody did, or it cannot be told.
  std::optional<std::string> original() const;

 private:
  template <class Edit>
  Status edit(Edit&& change) const;

  std::string directory_;
  std::string path_;
};

}  // namespace ginnel::os
