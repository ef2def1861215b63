#include "os/port_holder.h"

#include <dirent.h>
#include <fmt/format.h>
#include <limits.h>
#include <unistd.h>

#include <algorithm>

#include "base/text.h"
#include "os/file.h"
#include "os/process.h"

namespace ginnel::os {
namespace {

constexpr std::size_t kMaxTableBytes = 16 << 20;
constexpr std::size_t kInodeField = 9;
constexpr std::string_view kTcpListens = "0A";

std::vector<std::string_view> fields_of(std::string_view line) {
  std::vector<std::string_view> fields;
  for (const std::string_view piece : split(line, ' ')) {
    if (!piece.empty()) fields.push_back(piece);
  }
  return fields;
}

// "0100007F:CA6C", in hexadecimal.
std::optional<std::uint16_t> port_of(std::string_view address) {
  const std::size_t colon = address.rfind(':');
  std::array<std::uint8_t, 2> bytes;
  if (colon == std::string_view::npos || !from_hex(address.substr(colon + 1), bytes)) return {};
  return load<Be16>(bytes);
}

bool has_socket(const std::string& descriptors, const std::vector<std::string>& links) {
  const auto names = list_directory(descriptors);
  if (!names) return false;
  for (const std::string& name : *names) {
    char target[64];
    const ssize_t length =
        readlink(fmt::format("{}/{}", descriptors, name).c_str(), target, sizeof target);
    if (length <= 0) continue;
    const std::string_view link(target, static_cast<std::size_t>(length));
    if (std::find(links.begin(), links.end(), link) != links.end()) return true;
  }
  return false;
}

// A process that holds one of these sockets; 0 when none is seen. Rather another than this one,
// which may have got the port in one family before it was refused the other.
int process_with(const std::vector<std::uint64_t>& inodes) {
  std::vector<std::string> links;
  links.reserve(inodes.size());
  for (const std::uint64_t inode : inodes) links.push_back(fmt::format("socket:[{}]", inode));
  const auto names = list_directory("/proc");
  if (!names) return 0;
  std::size_t looked_at = 0;
  int holder = 0;
  for (const std::string& name : *names) {
    const auto pid = parse_number<int>(name, 1, INT_MAX);
    if (!pid) continue;
    if (has_socket("/proc/" + name + "/fd", links)) {
      holder = *pid;
      if (holder != process_id()) break;
    }
    if (++looked_at == kMaxProcesses) break;
  }
  return holder;
}

}  // namespace

std::vector<std::uint64_t> inodes_of_port(std::string_view table, Transport transport,
                                          std::uint16_t port) {
  std::vector<std::uint64_t> inodes;
  for (const std::string_view line : split(table, '\n')) {
    const auto fields = fields_of(line);
    if (fields.size() <= kInodeField || port_of(fields[1]) != port) continue;
    if (transport == Transport::Tcp && fields[3] != kTcpListens) continue;
    if (const auto inode = parse_number<std::uint64_t>(fields[kInodeField], 1, UINT64_MAX)) {
      inodes.push_back(*inode);
    }
  }
  return inodes;
}

std::string describe_holder(Transport transport, std::uint16_t port) {
  // Of this thread, because each may be in a network namespace of its own.
  const std::string path =
      transport == Transport::Udp ? "/proc/thread-self/net/udp" : "/proc/thread-self/net/tcp";
  std::vector<std::uint64_t> inodes;
  for (const char* const suffix : {"", "6"}) {
    const auto table = read_file(path + suffix, kMaxTableBytes);
    if (!table) continue;
    const auto found = inodes_of_port(*table, transport, port);
    inodes.insert(inodes.end(), found.begin(), found.end());
  }
  if (const int pid = process_with(inodes); pid != 0) {
    return fmt::format("it is held by {} (process {})", process_name(pid), pid);
  }
  if (geteuid() != 0) return "it is held by another user's process (root can see which)";
  return "it is held by no process of this host: perhaps a container, or a WireGuard interface of "
         "the kernel (wg show)";
}

}  // namespace ginnel::os
