#include "service/tunnel/udp_totals.h"

namespace ginnel::tunnel {

void UdpTotals::replace(std::span<const os::UdpPair> workers,
                        std::span<const os::UdpPair> senders) {
  for (const auto& counters : before_) {
    for (std::size_t i = 0; i < closed_.size(); ++i) {
      closed_[i] += counters->of(static_cast<os::UdpCount>(i));
    }
  }
  before_ = std::exchange(current_, {});
  follow(workers, current_);
  follow(senders, current_);
}

void UdpTotals::follow(std::span<const os::UdpPair> pairs, Shared& counters) {
  for (const os::UdpPair& pair : pairs) {
    for (const os::UdpSocket* const socket : {pair.v4(), pair.v6()}) {
      if (socket != nullptr) counters.push_back(socket->share_counters());
    }
  }
}

std::uint64_t UdpTotals::overflows(std::span<const os::UdpPair> pairs) {
  std::uint64_t total = 0;
  for (const os::UdpPair& pair : pairs) {
    for (const os::UdpSocket* const socket : {pair.v4(), pair.v6()}) {
      if (socket != nullptr) total += socket->receive_overflows();
    }
  }
  return total;
}

void UdpTotals::append(std::span<const os::UdpPair> senders,
                       std::vector<wg::NamedCounter>& counters) const {
  for (std::size_t i = 0; i < closed_.size(); ++i) {
    const auto count = static_cast<os::UdpCount>(i);
    std::uint64_t total = closed_[i];
    for (const auto& one : before_) total += one->of(count);
    for (const auto& one : current_) total += one->of(count);
    if (total != 0) counters.push_back({std::string(os::name_of(count)), total});
  }
  if (const std::uint64_t lost = overflows_ + overflows(senders); lost != 0) {
    counters.push_back({"udp_receive_overflows", lost});
  }
}

}  // namespace ginnel::tunnel
