#include "service/quick/resolver.h"

#include <fmt/format.h>

#include <filesystem>

#include "base/text.h"
#include "os/child_process.h"
#include "os/file.h"
#include "os/resolv_conf.h"

namespace ginnel::quick {
namespace {

constexpr const char* kResolvConf = "/etc/resolv.conf";
constexpr std::size_t kMaxOrderFile = 65536;

// Debian's resolvconf puts interfaces in order by their names; tunnels have to look like ones that
// it knows. The first pattern for one in its list decides.
std::string known_name(const std::string& interface) {
  const auto order = os::read_file("/etc/resolvconf/interface-order", kMaxOrderFile);
  if (!order) return interface;
  for (std::string_view line : split(*order, '\n')) {
    line = trim(line);
    if (!line.ends_with('*')) continue;
    line.remove_suffix(1);
    const bool is_plain = !line.empty() && std::ranges::all_of(line, [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
    });
    if (is_plain) return fmt::format("{}.{}", line, interface);
  }
  return interface;
}

// A file that another program writes, by way of a link, is that program's.
bool belongs_to_another() {
  std::error_code error;
  const std::filesystem::path target = std::filesystem::read_symlink(kResolvConf, error);
  return !error && target.string().find("systemd/resolve") != std::string::npos;
}

}  // namespace

Result<std::string> Resolver::choose() const {
  if (os::find_program("resolvconf")) return "resolvconf";
  if (!belongs_to_another()) return "file";
  return fail(
      ErrorCode::Unsupported,
      "DNS: systemd-resolved keeps /etc/resolv.conf, and there is no resolvconf to tell it; "
      "install one (openresolv, or systemd's link to resolvectl), or remove the DNS lines");
}

Status Resolver::run_resolvconf(std::vector<std::string> words,
                                std::optional<std::string> input) const {
  const auto end = os::run_command({.words = std::move(words), .input = std::move(input)},
                                   &interruption_.signals());
  if (!end) return std::unexpected(end.error());
  if (end->interrupted) {
    interruption_.note();
    return interruption_.check();
  }
  if (end->exit_code == 0) return ok();
  return fail(ErrorCode::Io, fmt::format("DNS: resolvconf ended with {}; run it by hand to see why",
                                         end->exit_code));
}

Status Resolver::tell(const std::string& chosen, const hostnet::WantedResolver& wanted) const {
  if (chosen == "file") return os::ResolvConf(claims_.directory()).push(claims_.owner(), wanted);
  std::string text;
  for (const std::string& server : wanted.servers) text += fmt::format("nameserver {}\n", server);
  if (!wanted.search.empty()) text += fmt::format("search {}\n", fmt::join(wanted.search, " "));
  return run_resolvconf(
      {"resolvconf", "-a", known_name(claims_.owner().interface), "-m", "0", "-x"},
      std::move(text));
}

Status Resolver::take_back(const std::string& chosen) const {
  if (chosen.empty()) return ok();
  if (chosen == "file") return os::ResolvConf(claims_.directory()).pop(claims_.owner());
  return run_resolvconf({"resolvconf", "-d", known_name(claims_.owner().interface), "-f"},
                        std::nullopt);
}

}  // namespace ginnel::quick
