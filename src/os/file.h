// Files as ginnel uses them: small, read whole, replaced whole.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "os/fd.h"

namespace ginnel::os {

// Fails with Exhausted when the file is larger than `limit`. Works for /proc, whose files have no
// size.
Result<std::string> read_file(const std::string& path, std::size_t limit);

// The file has the old or the new contents whatever happens, a power cut included. A symbolic link
// is followed. Without a `mode` an existing file keeps its own, and its owner; a new one gets 0600.
Status write_file_atomically(const std::string& path, std::string_view contents,
                             std::optional<mode_t> mode = std::nullopt);

// Makes the directory and those above it that are missing. Existing ones are left as they are.
Status make_directories(const std::string& path, mode_t mode);

// The names in a directory, without "." and "..", sorted.
inline constexpr std::size_t kMaxDirectoryEntries = 1 << 20;
Result<std::vector<std::string>> list_directory(const std::string& path);

// Removing what does not exist succeeds.
Status remove_file(const std::string& path);

bool file_exists(const std::string& path);
// Succeeds when there is such a file. Fails with NotFound when there is none, and otherwise when
// that cannot be told: who may not look into its folder must not hear that it is missing.
Status require_file(const std::string& path);

// Where a path leads when its last part is a link, also one that leads to nothing yet.
std::string behind_links(const std::string& path);

// Whether this process's user and group own the file; of what is missing, the directory where it
// would be made.
bool is_own_file(const std::string& path);

// A line that warns when others than the owner can get at the secrets in the file, with the command
// that cures it; empty when all is well or there is no file. `wg-quick` warns about the same.
std::string exposure_warning(const std::string& path);

// Whether users other than the owner and his group may do anything with it.
bool is_open_to_all(const std::string& path);

// Held as long as it exists; the kernel releases it when the process dies.
class FileLock {
 public:
  // Fails with AlreadyExists, naming the process that has it; one that is just dying is waited for,
  // half a second at most. Makes the file when it is missing, and leaves it behind: removing it
  // would let two processes lock two files of one name.
  static Result<FileLock> take(const std::string& path);
  // Whether some process has it at this moment. False also when there is no such file.
  static bool is_taken(const std::string& path);

  // Whoever inherits it holds the lock as well, until it ends.
  int fd() const { return fd_.get(); }

 private:
  explicit FileLock(Fd fd) : fd_(std::move(fd)) {}

  Fd fd_;
};

}  // namespace ginnel::os
