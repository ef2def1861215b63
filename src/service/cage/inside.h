// The process in the cage: makes it, starts the command there and waits for it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "net/prefix.h"
#include "os/descriptor_channel.h"
#include "os/relayed_signals.h"
#include "service/cage/name_files.h"

namespace ginnel::cage {

struct InsidePlan {
  std::string interface;
  std::uint32_t mtu = 0;
  std::vector<net::InterfaceAddress> addresses;
  std::vector<net::Prefix> destinations;  // What the tunnel leads to.
  NameServers names;
  std::vector<std::string> command;
};

// What goes through the channel, one letter and what belongs to it.
namespace letter {
// Outwards:
inline constexpr char kReady = 'R';   // With the TUN queue.
inline constexpr char kFailed = 'F';  // The error's code, a colon, the message.
inline constexpr char kInner = 'I';   // Number; with the socket, if somebody listens.
// Inwards:
inline constexpr char kGo = 'G';
inline constexpr char kSignal = 'S';   // Number.
inline constexpr char kConnect = 'C';  // Number, a colon, the port.
}  // namespace letter

// In the process that fork() made, and to its end: its exit code is the command's. `parent` is who
// made it; when that one dies, so do this process and the command.
[[noreturn]] void live_inside(const InsidePlan& plan, os::DescriptorChannel& channel,
                              const os::RelayedSignals& signals, int parent);

}  // namespace ginnel::cage
