#include "service/quick/source.h"

#include <fmt/format.h>

#include <filesystem>

#include "base/log.h"
#include "core/config/quick_lines.h"
#include "core/config/secret_text.h"
#include "core/hostnet/quick_network.h"
#include "os/file.h"
#include "os/name_lookup.h"
#include "service/quick/aside.h"

namespace ginnel::quick {
namespace {

constexpr std::string_view kDirectory = "/etc/wireguard";
constexpr std::size_t kMaxTablesFile = std::size_t{1024} * 1024;
constexpr Duration kFirstWait = 1s;
constexpr Duration kLongestWait = 20s;

// /etc/iproute2/rt_tables and what lies beside it, as ip(8) reads them.
std::string table_names() {
  std::string all = os::read_file("/etc/iproute2/rt_tables", kMaxTablesFile).value_or("");
  const std::string folder = "/etc/iproute2/rt_tables.d";
  const auto names = os::list_directory(folder);
  if (!names) return all;
  for (const std::string& name : *names) {
    if (!name.ends_with(".conf")) continue;
    all += '\n' + os::read_file(folder + "/" + name, kMaxTablesFile).value_or("");
  }
  return all;
}

std::string path_of(const std::string& argument) {
  return config::is_quick_interface(argument) ? fmt::format("{}/{}.conf", kDirectory, argument)
                                              : argument;
}

std::unexpected<Error> with_remedy(Error error) {
  if (error.code == ErrorCode::PermissionDenied) error.message += "; run this as root";
  return std::unexpected(std::move(error));
}

// A name without a slash is looked for in one place only, which surprises those who see the file.
std::string what_was_meant(const std::string& argument) {
  constexpr std::string_view kEnding = ".conf";
  if (path_of(argument) != argument && argument.ends_with(kEnding)) {
    if (os::file_exists(argument)) return "for the one in this folder write ./" + argument;
    const std::string name = argument.substr(0, argument.size() - kEnding.size());
    if (os::file_exists(path_of(name))) return fmt::format("for {} write {}", path_of(name), name);
  }
  return "give a path, or put it there";
}

Status check_file(const std::string& argument) {
  if (argument.empty()) return fail(ErrorCode::InvalidArgument, "the name of the file is empty");
  const std::string path = path_of(argument);
  Status there = os::require_file(path);
  if (there) return there;
  if (there.error().code != ErrorCode::NotFound) return with_remedy(std::move(there.error()));
  return fail(ErrorCode::NotFound,
              fmt::format("{}; {}", there.error().message, what_was_meant(argument)));
}

// The shell that wg-quick is written for does not see them, so that a file in UTF-16 is plain text.
void drop_zero_bytes(Source& source) {
  const std::size_t first = source.text.find('\0');
  if (first == std::string::npos) return;
  const auto line = 1 + std::count(source.text.begin(), source.text.begin() + first, '\n');
  source.warnings.push_back(
      fmt::format("{}:{}: holds zero bytes, which are passed over; save it as plain text (UTF-8)",
                  source.path, line));
  std::erase(source.text, '\0');
}

std::unexpected<Error> at_line(const Source& source, std::size_t line, std::string_view key,
                               const Error& error) {
  return fail(error.code, fmt::format("{}:{}: {}: {}", source.path, line, key, error.message));
}

Result<net::Endpoint> ask_for(const config::QuickEndpoint& endpoint, Interruption& interruption) {
  if (net::Address::parse(endpoint.host)) return os::look_up(endpoint.host, endpoint.port);
  auto found = ask_aside(
      [&]() -> Result<std::string> {
        const auto answer = os::look_up(endpoint.host, endpoint.port);
        if (!answer) return std::unexpected(answer.error());
        return answer->to_string();
      },
      interruption);
  if (!found) return pass(std::move(found));
  return net::Endpoint::parse(*found);
}

Result<net::Endpoint> look_up(const Source& source, const config::QuickPeer& peer, unsigned retries,
                              Interruption& interruption) {
  Duration pause = kFirstWait;
  for (unsigned tried = 0;; ++tried) {
    auto endpoint = ask_for(*peer.endpoint, interruption);
    if (endpoint) return endpoint;
    if (Status going = interruption.check(); !going) return pass(std::move(going));
    if (endpoint.error().code != ErrorCode::Unavailable ||
        (retries != kForEver && tried >= retries)) {
      return at_line(source, peer.endpoint_line, "Endpoint", endpoint.error());
    }
    log::warn("{}; trying again in {:.1f} s", endpoint.error().message,
              std::chrono::duration<double>(pause).count());
    if (Status waited = interruption.wait(pause); !waited) return pass(std::move(waited));
    pause = std::min<Duration>(pause * 6 / 5, kLongestWait);
  }
}

bool is_name(const config::QuickPeer& peer) {
  return peer.endpoint && !net::Address::parse(peer.endpoint->host);
}

// For each peer of the file, where the lock lets its datagrams go; none when it is of another file.
std::vector<std::optional<net::Endpoint>> locked_to(const Source& source,
                                                    const LockedEndpoints& locked) {
  const std::vector<config::QuickPeer>& peers = source.file.peers;
  std::vector<std::optional<net::Endpoint>> endpoints(peers.size());
  if (!locked || std::ranges::none_of(peers, &is_name)) return endpoints;
  const std::vector<net::Endpoint> allowed = locked(source.interface);
  const auto has_endpoint = [](const config::QuickPeer& p) { return p.endpoint.has_value(); };
  if (std::ssize(allowed) != std::ranges::count_if(peers, has_endpoint)) return endpoints;
  auto next = allowed.begin();
  for (std::size_t i = 0; i < peers.size(); ++i) {
    if (!peers[i].endpoint) continue;
    const net::Endpoint& endpoint = *next++;
    const auto port = os::look_up_port(peers[i].endpoint->port);
    if (is_name(peers[i]) && port && *port == endpoint.port) endpoints[i] = endpoint;
  }
  return endpoints;
}

}  // namespace

Source::~Source() { config::erase_text(text); }

Result<Source> locate(const std::string& argument) {
  Source source;
  source.path = path_of(argument);
  // The name that was given decides, also when it is a link to another.
  auto interface = config::quick_interface(source.path);
  if (!interface) return pass(std::move(interface));
  source.interface = std::move(*interface);
  std::error_code error;
  const std::filesystem::path whole = std::filesystem::weakly_canonical(source.path, error);
  if (!error) source.path = whole;
  return source;
}

Result<Source> read_text(const std::string& argument) {
  if (Status there = check_file(argument); !there) return pass(std::move(there));
  auto source = locate(argument);
  if (!source) return source;
  auto text = os::read_file(source->path, config::kMaxQuickFile);
  if (!text) return with_remedy(text.error());
  source->text = std::move(*text);
  const std::string folder = source->path.substr(0, source->path.rfind('/') + 1);
  if (os::is_open_to_all(source->path) && os::is_open_to_all(folder)) {
    source->warnings.push_back(
        fmt::format("{} holds secrets and everybody can read it; run: chmod 600 {}", source->path,
                    source->path));
  }
  drop_zero_bytes(*source);
  return source;
}

Result<Source> read_source(const std::string& argument) {
  auto source = read_text(argument);
  if (!source) return source;
  auto file = config::parse_quick_file(source->path, source->text);
  if (!file) return pass(std::move(file));
  source->file = std::move(*file);
  source->warnings.insert(source->warnings.end(), source->file.warnings.begin(),
                          source->file.warnings.end());
  return source;
}

void warn_of(const Source& source) {
  for (const std::string& warning : source.warnings) log::warn("{}", warning);
}

Result<std::optional<std::uint32_t>> table_of(const Source& source) {
  const std::string& name = source.file.table;
  if (name == "auto" || name == "off") return std::nullopt;
  const auto number = hostnet::find_table(name, table_names());
  if (number) return number;
  return at_line(source, source.file.table_line, "Table",
                 {ErrorCode::InvalidArgument,
                  fmt::format("\"{}\" is no routing table; write auto, off, a number, or a name of "
                              "/etc/iproute2/rt_tables",
                              name)});
}

Result<config::QuickNames> look_up_names(const Source& source, unsigned retries,
                                         Interruption& interruption,
                                         const LockedEndpoints& locked) {
  config::QuickNames names;
  if (source.file.listen_port) {
    const auto port = os::look_up_port(*source.file.listen_port);
    if (!port) return at_line(source, source.file.listen_port_line, "ListenPort", port.error());
    names.listen_port = *port;
  }
  names.endpoints = locked_to(source, locked);
  for (std::size_t i = 0; i < names.endpoints.size(); ++i) {
    const config::QuickPeer& peer = source.file.peers[i];
    auto& endpoint = names.endpoints[i];
    if (endpoint) {
      log::info("{}: the host is locked, so {} is {}, as when it was", source.path,
                peer.endpoint->host, endpoint->address.to_string());
    }
    if (!peer.endpoint || endpoint) continue;
    const auto found = look_up(source, peer, retries, interruption);
    if (!found) return std::unexpected(found.error());
    endpoint = *found;
  }
  return names;
}

}  // namespace ginnel::quick
