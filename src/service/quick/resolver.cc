#include "service/quick/resolver.h"

#include <fmt/format.h>

#include <filesystem>

#include "base/text.h"
#include "os/child_process.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/resolv_conf.h"
#include "os/resolved.h"
#include "os/rtnetlink.h"

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

// How long systemd-resolved may take to hear of an interface that is new.
constexpr Duration kLinkLimit = 5s;
constexpr Duration kLinkInterval = 20ms;

// A file that systemd-resolved writes, by way of a link, is its own.
bool is_of_resolved() {
  std::error_code error;
  const std::filesystem::path target = std::filesystem::read_symlink(kResolvConf, error);
  return !error && target.string().find("systemd/resolve") != std::string::npos;
}

// Whether what this host's programs ask ends there.
bool asks_resolved() {
  if (is_of_resolved()) return true;
  const auto file = os::read_file(kResolvConf, os::ResolvConf::kMaxSize);
  if (file && file->find("nameserver 127.0.0.53") != std::string::npos) return true;
  const auto switches = os::read_file("/etc/nsswitch.conf", kMaxOrderFile);
  if (!switches) return false;
  return std::ranges::any_of(split(*switches, '\n'), [](std::string_view line) {
    return line.starts_with("hosts:") && line.find(" resolve") != std::string_view::npos;
  });
}

// Other interfaces whose servers are asked about names that no domain claims.
Result<std::vector<std::string>> default_routes(const std::string& interface) {
  auto rtnetlink = os::Rtnetlink::open();
  if (!rtnetlink) return pass(std::move(rtnetlink));
  const auto links = rtnetlink->read_links();
  if (!links) return std::unexpected(links.error());
  auto resolved = os::Resolved::open();
  if (!resolved) return pass(std::move(resolved));
  std::vector<std::string> names;
  for (const hostnet::Link& link : *links) {
    if (link.loopback || link.name == interface) continue;
    const auto is_default = resolved->is_default_route(link.name);
    if (is_default && *is_default) names.push_back(link.name);
  }
  if (names.size() > hostnet::StandingRecord::kMaxSilenced) {
    names.resize(hostnet::StandingRecord::kMaxSilenced);
  }
  return names;
}

}  // namespace

Result<Resolver::Choice> Resolver::choose() const {
  if (asks_resolved() && os::Resolved::is_running()) {
    Choice choice{.name = "resolved"};
    auto links = default_routes(owner_.interface);
    if (!links) return pass(std::move(links));
    choice.silenced = std::move(*links);
    return choice;
  }
  if (os::find_program("resolvconf")) return Choice{.name = "resolvconf"};
  if (!is_of_resolved()) return Choice{.name = "file"};
  return fail(ErrorCode::Unsupported,
              "DNS: /etc/resolv.conf is systemd-resolved's, which does not run; start it, install "
              "resolvconf, or remove the DNS lines");
}

Status Resolver::tell_resolved(const Choice& choice, const hostnet::WantedResolver& wanted) const {
  auto resolved = os::Resolved::open();
  if (!resolved) return pass(std::move(resolved));
  const os::Clock clock;
  const MonoTime limit = clock.mono() + kLinkLimit;
  for (;;) {
    Status told = resolved->tell(link_of(choice), wanted);
    if (told) break;
    if (told.error().code != ErrorCode::NotFound || clock.mono() >= limit) return told;
    if (Status going = interruption_.wait(kLinkInterval); !going) return going;
  }
  for (const std::string& link : choice.silenced) {
    Status silenced = resolved->set_default_route(link, false);
    // The link of networkd cannot be told so. The tunnel's is preferred all the same.
    const bool matters = !silenced && silenced.error().code != ErrorCode::NotFound &&
                         silenced.error().code != ErrorCode::Conflict;
    if (matters) return silenced;
  }
  return ok();
}

// One that does not run has forgotten by itself.
Status Resolver::untell_resolved(const Choice& choice) const {
  if (!os::Resolved::is_running()) return ok();
  auto resolved = os::Resolved::open();
  if (!resolved) return pass(std::move(resolved));
  Status outcome = resolved->forget(link_of(choice));
  for (const std::string& link : choice.silenced) {
    Status heard = resolved->set_default_route(link, true);
    const bool matters = !heard && heard.error().code != ErrorCode::NotFound &&
                         heard.error().code != ErrorCode::Conflict;
    if (matters && outcome) outcome = std::move(heard);
  }
  return outcome;
}

Status Resolver::run_resolvconf(std::vector<std::string> words,
                                std::optional<std::string> input) const {
  const auto end = os::run_command({.words = std::move(words), .input = std::move(input)},
                                   &interruption_.signals());
  if (!end) return std::unexpected(end.error());
  interruption_.note(*end);
  if (end->interrupted) return interruption_.check();
  if (end->exit_code == 0) return ok();
  return fail(ErrorCode::Io, fmt::format("DNS: resolvconf ended with {}; run it by hand to see why",
                                         end->exit_code));
}

Status Resolver::tell(const Choice& choice, const hostnet::WantedResolver& wanted) const {
  if (choice.name == "resolved") return tell_resolved(choice, wanted);
  if (choice.name == "file") return os::ResolvConf(directory_).push(owner_, wanted);
  std::string text;
  for (const std::string& server : wanted.servers) text += fmt::format("nameserver {}\n", server);
  if (!wanted.search.empty()) text += fmt::format("search {}\n", fmt::join(wanted.search, " "));
  return run_resolvconf({"resolvconf", "-a", known_name(owner_.interface), "-m", "0", "-x"},
                        std::move(text));
}

Status Resolver::take_back(const Choice& choice) const {
  if (choice.name.empty()) return ok();
  if (choice.name == "resolved") return untell_resolved(choice);
  if (choice.name == "file") return os::ResolvConf(directory_).pop(owner_);
  return run_resolvconf({"resolvconf", "-d", known_name(owner_.interface), "-f"}, std::nullopt);
}

Status Resolver::leave_link(const Choice& choice, const std::string& link) const {
  if (choice.name != "resolved" || link == link_of(choice)) return ok();
  auto resolved = os::Resolved::open();
  if (!resolved) return pass(std::move(resolved));
  return resolved->forget(link);
}

Resolver::Choice choice_of(const hostnet::StandingRecord& record) {
  return {.name = record.resolver, .silenced = record.silenced};
}

}  // namespace ginnel::quick
