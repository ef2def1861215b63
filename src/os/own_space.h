// User, network and mount namespaces of a process's own, which need no privilege where the kernel
// and its administrator allow them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ginnel::os {

// Moves the calling process, which must have one thread, into new ones. Its user and group keep
// their numbers, and it may do anything inside. Fails with PermissionDenied, naming the setting
// that refuses it, where there is one.
Status enter_own_space();

// Moves the calling process, which must have one thread, into a new network namespace, and into a
// new mount namespace where /run is empty. Nothing of that outlives the process, however it ends.
// Needs CAP_SYS_ADMIN.
Status enter_hidden_space();

// In a network namespace of one's own: lets its user ping, and have ports below 1024, which mean
// something other there than on the host. Does nothing where settings cannot be written.
void relax_own_network();

// The setting that keeps this process from having namespaces, as a remedy: from the texts of
// kernel.unprivileged_userns_clone, user.max_user_namespaces and
// kernel.apparmor_restrict_unprivileged_userns, absent where there is no such setting.
struct NamespaceSettings {
  std::optional<std::string> clone;
  std::optional<std::string> most;
  std::optional<std::string> apparmor;
};
std::string namespace_remedy(const NamespaceSettings& settings);

// Files and folders that this process and its children see in the place of the host's. REQUIRES:
// a mount namespace of its own.
class PrivateMounts {
 public:
  // From here on nothing that is mounted here shows outside, nor the reverse.
  static Result<PrivateMounts> begin();

  // Where a path really leads; empty when it leads nowhere.
  static std::string resolve(const std::string& path);

  // Shows an empty folder there; a path where there is none is left alone.
  Status cover_folder(const std::string& path);
  // Shows `text` there. `path` is what resolve() said, before any cover_folder(): a file in a
  // covered folder is made anew.
  Status cover_file(const std::string& path, std::string_view text);
  // Leaves the covers, and nothing else. Call it when all are there.
  Status finish();

 private:
  explicit PrivateMounts(std::string stage) : stage_(std::move(stage)) {}

  std::string stage_;  // A folder that is ours for the moment.
  int next_ = 0;
};

}  // namespace ginnel::os
