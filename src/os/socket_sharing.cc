#include "os/socket_sharing.h"

#include <errno.h>
#include <fmt/format.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vector>

#include "os/os_error.h"

namespace ginnel::os {
namespace {

constexpr std::size_t kMaxGroupEntry = 1 << 20;  // Members of large groups included.

}  // namespace

Status replace_link(const std::string& path, const std::string& target) {
  struct stat info{};
  if (lstat(path.c_str(), &info) == 0) {
    if (!S_ISLNK(info.st_mode)) {
      return fail(ErrorCode::AlreadyExists,
                  fmt::format("{}: exists and is no link of ours; remove it", path));
    }
    if (unlink(path.c_str()) != 0) return os_fail("remove " + path, errno);
  }
  if (symlink(target.c_str(), path.c_str()) != 0) return os_fail("make the link " + path, errno);
  return ok();
}

Status share_with_group(const std::string& path, const std::string& group) {
  struct group entry{};
  struct group* found = nullptr;
  std::vector<char> buffer(4096);
  int error = 0;
  while ((error = getgrnam_r(group.c_str(), &entry, buffer.data(), buffer.size(), &found)) ==
             ERANGE &&
         buffer.size() < kMaxGroupEntry) {
    buffer.resize(buffer.size() * 2);
  }
  if (found == nullptr) return ok();
  if (chown(path.c_str(), static_cast<uid_t>(-1), found->gr_gid) == 0 || errno == EPERM) {
    return ok();
  }
  return os_fail("give " + path + " to the group " + group, errno);
}

}  // namespace ginnel::os
