#include "os/own_space.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "os/fd.h"
#include "os/file.h"
#include "os/os_error.h"

namespace ginnel::os {
namespace {

Status write_at_once(const std::string& path, std::string_view text) {
  const Fd fd(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (fd && write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size())) {
    return ok();
  }
  return os_fail(fmt::format("write {}", path), errno);
}

std::optional<std::string> setting(const char* path) {
  auto text = read_file(path, 64);
  if (!text) return std::nullopt;
  return std::string(trim(*text));
}

std::unexpected<Error> refused(int error) {
  const std::string remedy =
      namespace_remedy({.clone = setting("/proc/sys/kernel/unprivileged_userns_clone"),
                        .most = setting("/proc/sys/user/max_user_namespaces"),
                        .apparmor = setting("/proc/sys/kernel/apparmor_restrict_unprivileged_"
                                            "userns")});
  return fail(
      ErrorCode::PermissionDenied,
      fmt::format("namespaces of one's own are refused here ({}): {}", strerror(error), remedy));
}

Status map_ids(uid_t user, gid_t group) {
  if (Status denied = write_at_once("/proc/self/setgroups", "deny"); !denied) return denied;
  if (Status mapped = write_at_once("/proc/self/uid_map", fmt::format("{} {} 1", user, user));
      !mapped) {
    return mapped;
  }
  return write_at_once("/proc/self/gid_map", fmt::format("{} {} 1", group, group));
}

bool make_tmpfs(const std::string& path, const char* options) {
  return mount("ginnel", path.c_str(), "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, options) == 0;
}

Status write_new(const std::string& path, std::string_view text) {
  const Fd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (fd && write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size())) {
    return ok();
  }
  return os_fail(fmt::format("make {} for the cage", path), errno);
}

}  // namespace

std::string namespace_remedy(const NamespaceSettings& settings) {
  constexpr std::string_view kForm = "{} = {}; as root: sysctl -w {}={}";
  if (settings.clone == "0") {
    constexpr std::string_view kName = "kernel.unprivileged_userns_clone";
    return fmt::format(kForm, kName, 0, kName, 1);
  }
  if (settings.most == "0") {
    constexpr std::string_view kName = "user.max_user_namespaces";
    return fmt::format(kForm, kName, 0, kName, 10000);
  }
  if (settings.apparmor == "1") {
    constexpr std::string_view kName = "kernel.apparmor_restrict_unprivileged_userns";
    return fmt::format("{}, or give the program an AppArmor profile that allows userns",
                       fmt::format(kForm, kName, 1, kName, 0));
  }
  return "no setting says so, so it is a container's or a service's own rule (seccomp); allow it "
         "user namespaces, or run this outside";
}

Status enter_own_space() {
  const uid_t user = geteuid();
  const gid_t group = getegid();
  if (unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS) != 0) {
    if (errno == EPERM || errno == ENOSPC || errno == EUSERS) return refused(errno);
    return os_fail("make namespaces", errno);
  }
  // AppArmor lets the namespace be made and takes away what it would be for.
  if (Status mapped = map_ids(user, group); !mapped) {
    return mapped.error().code == ErrorCode::PermissionDenied ? refused(EPERM) : mapped;
  }
  return ok();
}

Status enter_hidden_space() {
  if (unshare(CLONE_NEWNET | CLONE_NEWNS) != 0) return os_fail("make namespaces", errno);
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return os_fail("make mounts private", errno);
  }
  if (make_tmpfs("/run", "mode=0755")) return ok();
  return os_fail("cover /run", errno);
}

void relax_own_network() {
  const gid_t group = getegid();
  static_cast<void>(
      write_at_once("/proc/sys/net/ipv4/ping_group_range", fmt::format("{} {}", group, group)));
  static_cast<void>(write_at_once("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0"));
}

Result<PrivateMounts> PrivateMounts::begin() {
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    if (errno == EPERM || errno == EACCES) return refused(errno);
    return os_fail("make mounts private", errno);
  }
  for (const char* const folder : {"/tmp", "/var/tmp", "/run", "/mnt"}) {
    if (make_tmpfs(folder, "mode=0700")) return PrivateMounts(folder);
  }
  return os_fail("mount a folder for the cage's files", errno);
}

std::string PrivateMounts::resolve(const std::string& path) {
  char* const real = realpath(path.c_str(), nullptr);
  if (real == nullptr) return {};
  std::string resolved = real;
  free(real);
  return resolved;
}

Status PrivateMounts::cover_folder(const std::string& path) {
  struct stat status{};
  if (stat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) return ok();
  if (make_tmpfs(path, "mode=0755")) return ok();
  return os_fail(fmt::format("cover {} in the cage", path), errno);
}

Status PrivateMounts::cover_file(const std::string& path, std::string_view text) {
  if (!file_exists(path)) return write_new(path, text);
  const std::string staged = fmt::format("{}/{}", stage_, next_++);
  if (Status written = write_new(staged, text); !written) return written;
  const bool covered =
      mount(staged.c_str(), path.c_str(), nullptr, MS_BIND, nullptr) == 0 &&
      mount(nullptr, path.c_str(), nullptr,
            MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) == 0;
  if (covered) return ok();
  return os_fail(fmt::format("cover {} in the cage", path), errno);
}

Status PrivateMounts::finish() {
  // The files stay for as long as something shows them.
  if (umount2(stage_.c_str(), MNT_DETACH) == 0) return ok();
  return os_fail(fmt::format("uncover {} in the cage", stage_), errno);
}

}  // namespace ginnel::os
