#include "os/tun_watch.h"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/check.h"
#include "os/os_error.h"

namespace ginnel::os {
namespace {

Fd own_space() { return Fd(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)); }

std::optional<std::uint64_t> inode_of(const Fd& space) {
  struct stat status{};
  if (!space || ::fstat(space.get(), &status) != 0) return std::nullopt;
  return status.st_ino;
}

// A monitor of the host as it looks from another namespace. The calling thread is back in its own
// afterwards.
std::optional<NetworkMonitor> monitor_in(const Fd& space) {
  const Fd home = own_space();
  // Not everybody who may leave may come back, so that is tried first.
  const bool may_return = home && ::setns(home.get(), CLONE_NEWNET) == 0;
  if (!may_return || ::setns(space.get(), CLONE_NEWNET) != 0) return std::nullopt;
  auto monitor = NetworkMonitor::open();
  CHECK(::setns(home.get(), CLONE_NEWNET) == 0);
  if (!monitor) return std::nullopt;
  return std::move(*monitor);
}

}  // namespace

Result<std::unique_ptr<TunWatch>> TunWatch::open(const TunDevice& device, Poller& poller,
                                                 std::uint64_t token) {
  auto monitor = NetworkMonitor::open();
  if (!monitor) return pass(std::move(monitor));
  if (Status added = poller.add(monitor->fd(), token, Interest::Read); !added) {
    return pass(std::move(added));
  }
  return std::make_unique<TunWatch>(Key{}, device, poller, token, std::move(*monitor),
                                    inode_of(own_space()).value_or(0));
}

TunWatch::TunWatch(Key, const TunDevice& device, Poller& poller, std::uint64_t token,
                   NetworkMonitor monitor, std::uint64_t space)
    : device_(device),
      poller_(poller),
      token_(token),
      monitor_(std::move(monitor)),
      space_(space) {}

std::optional<TunState> TunWatch::look() {
  // What it says is not looked at: whatever happened, the answer is read anew.
  static_cast<void>(monitor_.read());
  for (int i = 0; i < kMaxMoves; ++i) {
    const auto name = device_.current_name();
    if (!name) return std::nullopt;
    if (!follow()) break;
    // Without an answer it was renamed or moved between the questions.
    if (auto state = ask(*name)) return state;
  }
  return TunState{.mtu = std::nullopt, .up = true};
}

// Goes where the interface is. False when it is where we may not go.
bool TunWatch::follow() {
  for (int i = 0; i < kMaxMoves; ++i) {
    const Fd space = device_.network_namespace();
    const auto inode = inode_of(space);
    // Kernels before 5.2 do not say, nor do others to those who may not look there.
    if (!inode || *inode == space_) return true;
    auto monitor = monitor_in(space);
    if (!monitor || !poller_.add(monitor->fd(), token_, Interest::Read)) return false;
    monitor_ = std::move(*monitor);  // Closes the other, and the poller forgets it.
    space_ = *inode;
  }
  return true;
}

std::optional<TunState> TunWatch::ask(const std::string& name) const {
  ifreq request{};
  std::copy(name.begin(), name.end(), request.ifr_name);
  if (::ioctl(monitor_.fd(), SIOCGIFFLAGS, &request) != 0) return std::nullopt;
  const bool up = (request.ifr_flags & IFF_UP) != 0;
  if (::ioctl(monitor_.fd(), SIOCGIFMTU, &request) != 0) return std::nullopt;
  return TunState{.mtu = static_cast<unsigned>(request.ifr_mtu), .up = up};
}

}  // namespace ginnel::os
