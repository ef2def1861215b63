#include "os/sysctl_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "base/text.h"
#include "os/fail_point.h"
#include "os/fd.h"
#include "os/file.h"
#include "os/os_error.h"

namespace ginnel::os {

Result<std::string> SysctlTree::read(std::string_view path) const {
  auto text = read_file(fmt::format("{}/{}", root_, path), kMaxValueSize);
  if (!text) return pass(std::move(text));
  return std::string(trim(*text));
}

Status SysctlTree::write(std::string_view path, std::string_view value) const {
  const std::string file = fmt::format("{}/{}", root_, path);
  const std::string what = fmt::format("set {} to {}", path, value);
  // No O_CREAT: a setting that the kernel does not have is an error.
  const Fd fd(::open(file.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC));
  if (!fd && (errno == EROFS || errno == EACCES)) {
    return os_fail(what, errno, "allow it to write /proc/sys, or set this yourself");
  }
  if (!fd) return os_fail(what, errno);
  const std::string line = fmt::format("{}\n", value);
  // One write: the kernel takes each as a whole value.
  fail_point();
  const ssize_t written = ::write(fd.get(), line.data(), line.size());
  fail_point();
  if (written < 0) return os_fail(what, errno);
  if (static_cast<std::size_t>(written) != line.size()) return os_fail(what, EIO);
  return ok();
}

Result<std::vector<std::string>> SysctlTree::list(std::string_view path) const {
  return list_directory(fmt::format("{}/{}", root_, path));
}

}  // namespace ginnel::os
