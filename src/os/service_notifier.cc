#include "os/service_notifier.h"

#include <fmt/format.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"

namespace ginnel::os {
namespace {

std::string take_variable(const char* name) {
  const char* const value = getenv(name);
  std::string text = value != nullptr ? value : "";
  unsetenv(name);
  return text;
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

// A lost message is not an error: systemd is at most informed later.
void ServiceNotifier::send(std::string_view message) {
  if (!socket_) return;
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  std::copy(address_.begin(), address_.end(), to.sun_path);
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size());
  sendto(socket_.get(), message.data(), message.size(), MSG_NOSIGNAL,
         reinterpret_cast<const sockaddr*>(&to), length);
}

}  // namespace ginnel::os
