// Kernel settings by their paths under /proc/sys.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ginnel::os {

class SysctlTree {
 public:
  static constexpr std::size_t kMaxValueSize = 4096;

  // `root` differs in tests only.
  explicit SysctlTree(std::string root = "/proc/sys") : root_(std::move(root)) {}

  // Without the newline at its end.
  Result<std::string> read(std::string_view path) const;
  Status write(std::string_view path, std::string_view value) const;
  // The names below a path: the interfaces of "net/ipv4/conf".
  Result<std::vector<std::string>> list(std::string_view path) const;

 private:
  std::string root_;
};

}  // namespace ginnel::os
