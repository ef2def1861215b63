#include "os/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

#include "base/text.h"
#include "os/fail_point.h"
#include "os/os_error.h"
#include "os/process.h"

namespace ginnel::os {
namespace {

constexpr std::size_t kReadAtOnce = 65536;

constexpr int kMaxLinks = 40;  // As the kernel follows.

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

bool write_all(int fd, std::string_view contents) {
  while (!contents.empty()) {
    const ssize_t written = write(fd, contents.data(), contents.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    contents.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

// A file beside the one that it will replace; removes itself unless it did.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& final_path) {
    const std::string name = final_path.substr(final_path.rfind('/') + 1);
    path_ = directory_of(final_path) + "/." + name + ".XXXXXX";
    fd_ = Fd(mkostemp(path_.data(), O_CLOEXEC));
  }
  ~TemporaryFile() {
    if (fd_ && !renamed_) unlink(path_.c_str());
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  bool made() const { return fd_.is_open(); }
  int fd() const { return fd_.get(); }
  bool rename_to(const std::string& path) {
    renamed_ = rename(path_.c_str(), path.c_str()) == 0;
    return renamed_;
  }

 private:
  std::string path_;
  Fd fd_;
  bool renamed_ = false;
};

// A rename is on disk only when its directory is.
bool sync_directory(const std::string& path) {
  const Fd directory(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return directory && fsync(directory.get()) == 0;
}

bool is_directory(const std::string& path) {
  struct stat info{};
  return stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

// "process 123 (ginnel)" from a lock file, as far as it says.
std::string lock_owner(int fd) {
  char text[16] = {};
  const ssize_t length = pread(fd, text, sizeof text, 0);
  const auto pid = parse_number<int>(
      trim({text, length > 0 ? static_cast<std::size_t>(length) : 0}), 1, INT_MAX);
  if (!pid) return "another process";
  const std::string name = process_name(*pid);
  return fmt::format("process {}{}", *pid, name.empty() ? "" : " (" + name + ")");
}

// A process that was just killed has its locks until the kernel has closed its files; whoever
// starts its successor at once should not have to know.
bool flock_soon(int fd) {
  constexpr int kTries = 50;
  for (int i = 0; i < kTries; ++i) {
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) return true;
    if (errno != EWOULDBLOCK) return false;
    const timespec pause{.tv_sec = 0, .tv_nsec = 10'000'000};
    nanosleep(&pause, nullptr);
  }
  errno = EWOULDBLOCK;
  return false;
}

}  // namespace

Result<std::string> read_file(const std::string& path, std::size_t limit) {
  const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return os_fail("open " + path, errno);
  std::string contents;
  for (;;) {
    const std::size_t before = contents.size();
    // One byte more than allowed, to notice what is too large.
    const std::size_t room = std::min(kReadAtOnce, limit - before + 1);
    contents.resize(before + room);
    const ssize_t got = read(fd.get(), &contents[before], room);
    if (got < 0 && errno != EINTR) return os_fail("read " + path, errno);
    contents.resize(before + (got > 0 ? static_cast<std::size_t>(got) : 0));
    if (contents.size() > limit) {
      return fail(ErrorCode::Exhausted,
                  fmt::format("read {}: larger than {} bytes; is it the right file?", path, limit));
    }
    if (got == 0) return contents;
  }
}

Status write_file_atomically(const std::string& path, std::string_view contents,
                             std::optional<mode_t> mode) {
  // Replacing a file is not to replace the link to it.
  const std::string target = behind_links(path);
  struct stat old{};
  const bool is_new = stat(target.c_str(), &old) != 0;
  TemporaryFile file(target);
  if (!file.made()) return os_fail("create a file beside " + target, errno);
  if (fchmod(file.fd(), mode.value_or(is_new ? 0600 : old.st_mode & 07777)) != 0) {
    return os_fail("set the mode of " + target, errno);
  }
  // Only root can give a file away; everybody else keeps what they write.
  if (!is_new && geteuid() == 0 && fchown(file.fd(), old.st_uid, old.st_gid) != 0) {
    return os_fail("set the owner of " + target, errno);
  }
  if (!write_all(file.fd(), contents) || fsync(file.fd()) != 0) {
    return os_fail("write " + target, errno);
  }
  fail_point();
  if (!file.rename_to(target)) return os_fail("replace " + target, errno);
  fail_point();
  if (!sync_directory(directory_of(target)))
    return os_fail("write the directory of " + target, errno);
  return ok();
}

Status make_directories(const std::string& path, mode_t mode) {
  if (path.empty()) return fail(ErrorCode::InvalidArgument, "make a directory: it needs a name");
  for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const std::string part = path.substr(0, end);
    if (mkdir(part.c_str(), mode) != 0 && !(errno == EEXIST && is_directory(part))) {
      // What a read-only or foreign parent refuses may exist all the same.
      const int error = errno;
      if (!is_directory(part)) return os_fail("make directory " + part, error);
    }
    if (end == std::string::npos) return ok();
  }
}

Result<std::vector<std::string>> list_directory(const std::string& path) {
  DIR* const directory = opendir(path.c_str());
  if (directory == nullptr) return os_fail("list " + path, errno);
  const std::unique_ptr<DIR, int (*)(DIR*)> closer(directory, &closedir);
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* const entry = readdir(directory);
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    if (names.size() == kMaxDirectoryEntries) {
      return fail(ErrorCode::Exhausted, fmt::format("list {}: more than {} names; remove some",
                                                    path, kMaxDirectoryEntries));
    }
    names.emplace_back(name);
  }
  if (errno != 0) return os_fail("list " + path, errno);
  std::sort(names.begin(), names.end());
  return names;
}

Status remove_file(const std::string& path) {
  fail_point();
  const bool is_gone = unlink(path.c_str()) == 0 || errno == ENOENT;
  if (!is_gone) return os_fail("remove " + path, errno);
  fail_point();
  return ok();
}

bool file_exists(const std::string& path) {
  struct stat info{};
  return lstat(path.c_str(), &info) == 0;
}

Status require_file(const std::string& path) {
  struct stat info{};
  if (lstat(path.c_str(), &info) == 0) return ok();
  if (errno == ENOENT || errno == ENOTDIR) {
    return fail(ErrorCode::NotFound, path + ": there is no such file");
  }
  return os_fail(path, errno);
}

std::string behind_links(const std::string& path) {
  char target[PATH_MAX];
  if (realpath(path.c_str(), target) != nullptr) return target;
  std::string at = path;
  for (int i = 0; i < kMaxLinks; ++i) {
    const ssize_t length = readlink(at.c_str(), target, sizeof target);
    if (length <= 0) return at;
    const std::string next(target, static_cast<std::size_t>(length));
    at = next.starts_with('/') ? next : directory_of(at) + "/" + next;
  }
  return path;
}

bool is_own_file(const std::string& path) {
  struct stat info{};
  std::string existing = path;
  while (stat(existing.c_str(), &info) != 0) {
    if (existing == "/" || existing == ".") return false;
    existing = directory_of(existing);
  }
  return info.st_uid == geteuid() && info.st_gid == getegid();
}

std::string exposure_warning(const std::string& path) {
  struct stat info{};
  if (stat(path.c_str(), &info) != 0 || (info.st_mode & 0077) == 0) return {};
  const std::string_view who = (info.st_mode & 0007) != 0 ? "everybody" : "its group";
  return fmt::format("{} holds secrets and is accessible to {} (mode {:04o}); run chmod 600 {}",
                     path, who, info.st_mode & 07777, path);
}

bool is_open_to_all(const std::string& path) {
  struct stat info{};
  return stat(path.c_str(), &info) == 0 && (info.st_mode & 0007) != 0;
}

Result<FileLock> FileLock::take(const std::string& path) {
  Fd fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!fd) return os_fail("open lock file " + path, errno);
  if (!flock_soon(fd.get())) {
    if (errno != EWOULDBLOCK) return os_fail("lock " + path, errno);
    return fail(ErrorCode::AlreadyExists,
                fmt::format("lock {}: {} has it; wait for its end, or stop it", path,
                            lock_owner(fd.get())));
  }
  // For the message above only: the lock is the kernel's.
  if (ftruncate(fd.get(), 0) != 0 || !write_all(fd.get(), fmt::format("{}\n", getpid()))) {
    return os_fail("write lock file " + path, errno);
  }
  return FileLock(std::move(fd));
}

bool FileLock::is_taken(const std::string& path) {
  // Shared, so that two who look at the same moment do not take each other for its owner.
  const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  return fd && flock(fd.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

}  // namespace ginnel::os
