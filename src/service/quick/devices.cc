#include "service/quick/devices.h"

#include <fmt/format.h>

#include <filesystem>

#include "base/log.h"
#include "base/text.h"
#include "core/config/uapi.h"
#include "os/child_process.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/kernel_wireguard.h"
#include "service/tunnel/dev.h"
#include "service/tunnel/uapi_client.h"

namespace ginnel::quick {
namespace {

constexpr Duration kLeaveLimit = 10s;

// This very program, as `ginnel dev`.
std::string own_path() {
  std::error_code error;
  const std::filesystem::path path = std::filesystem::read_symlink("/proc/self/exe", error);
  return error || !std::filesystem::exists(path, error) ? "/proc/self/exe" : path.string();
}

Status start_program(const os::Command& command, Interruption& interruption) {
  const auto end = os::run_command(command, &interruption.signals());
  if (!end) return std::unexpected(end.error());
  interruption.note(*end);
  if (end->exit_code == 0) return ok();  // It stands: who was asked to stop has to know.
  if (Status going = interruption.check(); !going) return going;
  // Our own says "dev: what is wrong".
  const std::string_view reason = trim(std::string_view(end->said).substr(end->said.find(' ') + 1));
  if (!reason.empty()) return fail(ErrorCode::Io, std::string(reason));
  return fail(ErrorCode::Io,
              fmt::format("interface {}: {} ended with {} and did not make it",
                          command.words.back(), command.words.front(), end->exit_code));
}

}  // namespace

std::optional<Backend> parse_backend(std::string_view name) {
  if (name == "auto") return Backend::Automatic;
  if (name == "userspace") return Backend::Userspace;
  if (name == "kernel") return Backend::Kernel;
  return std::nullopt;
}

Result<std::string> make_device(const DeviceOptions& options, os::Rtnetlink& rtnetlink,
                                Interruption& interruption) {
  const auto links = rtnetlink.read_links();
  if (!links) return std::unexpected(links.error());
  if (std::ranges::find(*links, options.interface, &hostnet::Link::name) != links->end()) {
    return fail(ErrorCode::AlreadyExists,
                fmt::format("interface {} exists; take it down first", options.interface));
  }
  if (options.backend != Backend::Userspace) {
    Status made = rtnetlink.create_link(options.interface, os::kWireguardLink);
    if (made) return "kernel";
    if (made.error().code != ErrorCode::Unsupported) return pass(std::move(made));
    if (options.backend == Backend::Kernel) {
      return fail(ErrorCode::Unsupported,
                  fmt::format("interface {}: this kernel has no WireGuard; \"modprobe wireguard\" "
                              "loads it where it was built, and --backend userspace does without",
                              options.interface));
    }
  }
  if (!options.program.empty()) {
    const Status made = start_program(
        {.words = {options.program, options.interface}, .completes = true}, interruption);
    if (!made) return std::unexpected(made.error());
    return "program";
  }
  if (options.backend == Backend::Automatic) {
    log::info("interface {}: this kernel has no WireGuard, so ginnel carries its packets itself",
              options.interface);
  }
  std::vector<std::string> words{own_path(), "dev", options.interface};
  words.insert(words.end(), options.flags.begin(), options.flags.end());
  const Status made = start_program(
      {.words = std::move(words),
       .environment = {{std::string(tunnel::kHeldLock), fmt::format("{}", options.lock_fd)}},
       .hears = true,
       .kept = options.lock_fd,
       .completes = true},
      interruption);
  if (!made) return std::unexpected(made.error());
  return "userspace";
}

Status delete_device(const std::string& interface, const std::string& present,
                     os::Rtnetlink& rtnetlink) {
  auto process = tunnel::UapiClient().connect(interface);
  Status deleted = rtnetlink.delete_link(present);
  if (!deleted && deleted.error().code != ErrorCode::NotFound) return deleted;
  // One that was killed leaves its socket.
  if (!process && process.error().code == ErrorCode::Unavailable) {
    return os::remove_file(tunnel::UapiClient().path_of(interface));
  }
  if (!process) return ok();
  const auto is_end = [](std::string_view) { return false; };
  const auto left =
      process->receive_until(is_end, config::kMaxUapiLine, os::Clock().mono() + kLeaveLimit);
  if (!left) log::warn("interface {}: its process still runs", interface);
  return ok();
}

}  // namespace ginnel::quick
