#include "os/service_notifier.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

#include "base/text.h"
#include "os/descriptor_room.h"

namespace ginnel::os {
namespace {

std::string take_variable(const char* name) {
  const char* const value = getenv(name);
  std::string text = value != nullptr ? value : "";
  unsetenv(name);
  return text;
}

struct SocketName {
  sockaddr_un address{};
  socklen_t length = 0;
};
SocketName name_of(const std::string& address) {
  SocketName name;
  name.address.sun_family = AF_UNIX;
  std::copy(address.begin(), address.end(), name.address.sun_path);
  name.length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.size());
  return name;
}

FileIdentity identity_of(const Fd& descriptor) {
  struct stat status{};
  fstat(descriptor.get(), &status);
  return {status.st_dev, status.st_ino};
}

}  // namespace

ServiceNotifier ServiceNotifier::from_environment() {
  ServiceNotifier notifier;
  std::string address = take_variable("NOTIFY_SOCKET");
  const std::string watchdog = take_variable("WATCHDOG_USEC");
  const std::string watched_pid = take_variable("WATCHDOG_PID");
  const bool is_path = !address.empty() && (address[0] == '/' || address[0] == '@');
  if (!is_path || address.size() >= sizeof(sockaddr_un::sun_path)) return notifier;
  if (address[0] == '@') address[0] = '\0';
  notifier.address_ = std::move(address);
  notifier.socket_ = Fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  // Patient, as READY=1 must not be lost, but not for ever.
  const timeval patience{.tv_sec = 1, .tv_usec = 0};
  setsockopt(notifier.socket_.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  const auto microseconds = parse_number<std::int64_t>(watchdog, 1, 3'600'000'000);
  const bool is_for_us = watched_pid.empty() || watched_pid == std::to_string(getpid());
  if (microseconds && is_for_us) {
    notifier.watchdog_interval_ = std::chrono::microseconds(*microseconds) / 2;
  }
  return notifier;
}

void ServiceNotifier::reloading() {
  // systemd compares it with its own clock, which stands still while the machine sleeps.
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  send(fmt::format("RELOADING=1\nMONOTONIC_USEC={}",
                   std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000));
}

void ServiceNotifier::status(std::string_view text) {
  std::string line(text.substr(0, kMaxStatusBytes));
  std::replace(line.begin(), line.end(), '\n', ' ');
  send("STATUS=" + line);
}

void ServiceNotifier::store(const std::string& name, const Fd& descriptor) {
  if (!socket_ || !descriptor) return;
  const FileIdentity identity = identity_of(descriptor);
  const auto [stored, is_first] = stored_.try_emplace(name, identity);
  if (!is_first && stored->second == identity) return;
  stored->second = identity;
  if (!is_first) send(fmt::format("FDSTOREREMOVE=1\nFDNAME={}", name));
  SocketName to = name_of(address_);
  std::string text = fmt::format("FDSTORE=1\nFDNAME={}", name);
  iovec part{text.data(), text.size()};
  DescriptorRoom room;
  msghdr message{};
  message.msg_name = &to.address;
  message.msg_namelen = to.length;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  room.attach(descriptor.get(), message);
  sendmsg(socket_.get(), &message, MSG_NOSIGNAL);
}

// As sd_listen_fds(3) has it: descriptors from 3 on, with their names between colons.
Fd inherited_descriptor(std::string_view name) {
  constexpr int kFirst = 3;
  constexpr int kMost = 64;
  const auto count = parse_number<int>(take_variable("LISTEN_FDS"), 1, kMost);
  const std::string pid = take_variable("LISTEN_PID");
  const std::string names = take_variable("LISTEN_FDNAMES");
  if (!count || pid != std::to_string(getpid())) return {};
  Fd found;
  int number = kFirst;
  for (std::string_view each : split(names, ':')) {
    if (number == kFirst + *count) break;
    Fd given(number++);
    if (each == name) found = Fd(fcntl(given.get(), F_DUPFD_CLOEXEC, kFirst));
  }
  return found;
}

// A lost message is not an error: systemd is at most informed later.
void ServiceNotifier::send(std::string_view message) {
  if (!socket_) return;
  const SocketName to = name_of(address_);
  sendto(socket_.get(), message.data(), message.size(), MSG_NOSIGNAL,
         reinterpret_cast<const sockaddr*>(&to.address), to.length);
}

}  // namespace ginnel::os
