#include "os/resolv_conf.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <system_error>

#include "os/file.h"
#include "os/os_error.h"

namespace ginnel::os {
namespace {

using hostnet::ResolverStack;
using Change = ResolverStack::Change;

constexpr mode_t kMode = 0644;  // Every program reads it.

// Not the error's own code: what the kernel keeps even root from is no missing privilege.
std::unexpected<Error> refused(const std::string& path, int error) {
  std::string_view why = "make it writable";
  if (error == ENOENT) why = "make the folder that it leads to";
  if (error == EPERM) why = "take its mark away with \"chattr -i\"";
  if (error == EROFS) why = "mount it writable";
  return fail(ErrorCode::Io,
              fmt::format("DNS: cannot write {}: {}; {}, or install resolvconf, or remove the DNS "
                          "lines",
                          path, std::generic_category().message(error), why));
}

// Where the file is mounted over another, as in containers, it cannot be replaced, only filled.
Status write_in_place(const std::string& path, std::string_view text) {
  const Fd fd(::open(path.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC));
  if (!fd) return refused(path, errno);
  while (!text.empty()) {
    const ssize_t written = ::write(fd.get(), text.data(), text.size());
    if (written < 0 && errno != EINTR) return refused(path, errno);
    if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
  }
  return ok();
}

// A link stays, whether or not it leads to a file.
Status carry_out(const Change& change, const std::string& path, bool exists) {
  if (change.kind == Change::Kind::None) return ok();
  if (change.kind == Change::Kind::Remove) return remove_file(behind_links(path));
  if (write_file_atomically(path, change.text, exists ? std::nullopt : std::optional(kMode))) {
    return ok();
  }
  return write_in_place(path, change.text);
}

}  // namespace

template <class Edit>
Status ResolvConf::edit(Edit&& change) const {
  const std::string lock_path = directory_ + "/resolver.lock";
  const Fd lock(::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock) return os_fail("open lock file " + lock_path, errno);
  while (::flock(lock.get(), LOCK_EX) != 0) {
    if (errno != EINTR) return os_fail("lock " + lock_path, errno);
  }
  const std::string stack_path = directory_ + "/resolver";
  ResolverStack stack;
  if (file_exists(stack_path)) {
    const auto text = read_file(stack_path, 4 * ResolverStack::kMaxTextSize);
    if (!text) return std::unexpected(text.error());
    auto parsed = ResolverStack::parse(*text);
    if (!parsed) {
      return fail(parsed.error().code,
                  fmt::format("{}: {}; remove the file", stack_path, parsed.error().message));
    }
    stack = std::move(*parsed);
  }
  std::optional<std::string> current;
  if (file_exists(path_)) {
    auto text = read_file(path_, kMaxSize);
    if (text)
      current = std::move(*text);
    else if (text.error().code != ErrorCode::NotFound)
      return pass(std::move(text));
  }
  const Result<Change> wanted = change(stack, current);
  if (!wanted) return std::unexpected(wanted.error());
  // Written first: what stood there must never be lost.
  if (Status saved = write_file_atomically(stack_path, stack.to_text(), 0600); !saved) return saved;
  if (Status done = carry_out(*wanted, path_, current.has_value()); !done) return done;
  return stack.empty() ? remove_file(stack_path) : ok();
}

Status ResolvConf::push(const hostnet::Owner& owner, const hostnet::WantedResolver& wanted) const {
  return edit([&](ResolverStack& stack, const std::optional<std::string>& current) {
    return stack.push(owner, wanted, current);
  });
}

Status ResolvConf::pop(const hostnet::Owner& owner) const {
  if (!file_exists(directory_ + "/resolver")) return ok();
  return edit([&](ResolverStack& stack, const std::optional<std::string>& current) {
    return Result<Change>(stack.pop(owner, current));
  });
}

std::optional<std::string> ResolvConf::original() const {
  const auto text = read_file(directory_ + "/resolver", 4 * ResolverStack::kMaxTextSize);
  if (!text) return std::nullopt;
  const auto stack = ResolverStack::parse(*text);
  return stack ? stack->original() : std::nullopt;
}

}  // namespace ginnel::os
