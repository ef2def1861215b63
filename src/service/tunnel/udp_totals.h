// What all UDP sockets of a tunnel have counted, those included that a change of port has closed.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "core/wg/device_config.h"
#include "os/udp_pair.h"

namespace ginnel::tunnel {

class UdpTotals {
 public:
  // The sockets that take the place of those before; the workers may use the latter a little
  // longer, but not those before them.
  void replace(std::span<const os::UdpPair> workers, std::span<const os::UdpPair> senders);
  // The kernel's own count, which goes with a socket: for those that are about to be closed.
  void retire_overflows(std::span<const os::UdpPair> senders) { overflows_ += overflows(senders); }

  // What is not zero, by name. `senders` are the sockets in use.
  void append(std::span<const os::UdpPair> senders, std::vector<wg::NamedCounter>& counters) const;

 private:
  using Shared = std::vector<std::shared_ptr<const os::UdpCounters>>;

  static void follow(std::span<const os::UdpPair> pairs, Shared& counters);
  static std::uint64_t overflows(std::span<const os::UdpPair> pairs);

  std::array<std::uint64_t, static_cast<std::size_t>(os::UdpCount::kCount)> closed_{};
  Shared before_;
  Shared current_;
  std::uint64_t overflows_ = 0;
};

}  // namespace ginnel::tunnel
