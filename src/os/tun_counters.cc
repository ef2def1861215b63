#include "os/tun_counters.h"

#include <utility>

namespace ginnel::os {

std::string_view name_of(TunCount count) {
  switch (count) {
    case TunCount::Reads:
      return "tun_reads";
    case TunCount::PacketsRead:
      return "tun_packets_read";
    case TunCount::SuperPacketsRead:
      return "tun_super_packets_read";
    case TunCount::Writes:
      return "tun_writes";
    case TunCount::PacketsWritten:
      return "tun_packets_written";
    case TunCount::SuperPacketsWritten:
      return "tun_super_packets_written";
    case TunCount::OffloadsGivenUp:
      return "tun_offloads_given_up";
    case TunCount::ReadNotIp:
      return "tun_read_not_ip";
    case TunCount::ReadBadOffload:
      return "tun_read_bad_offload";
    case TunCount::ReadUnknownKind:
      return "tun_read_unknown_kind";
    case TunCount::ReadTooLong:
      return "tun_read_too_long";
    case TunCount::ReadFailed:
      return "tun_read_failed";
    case TunCount::WriteNotIp:
      return "tun_write_not_ip";
    case TunCount::WriteDeviceDown:
      return "tun_write_device_down";
    case TunCount::WriteNoMemory:
      return "tun_write_no_memory";
    case TunCount::WriteRefused:
      return "tun_write_refused";
    case TunCount::kCount:
      break;
  }
  std::unreachable();
}

}  // namespace ginnel::os
