// The catalogue of attacks on a lock: what is sent, by whom and how, in every leak class that
// packets can show. None of it may be seen on an uplink while the lock is on; all of it must be
// seen while it is off, or it proves nothing. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/leaks/leak_class.h"
#include "core/leaks/probe_packet.h"
#include "core/leaks/twin_plan.h"

namespace ginnel::leaks {

// Where live flows go on the internet: somebody there sends everything back.
inline constexpr std::uint16_t kEchoPort = 7;

enum class Origin : std::uint8_t {
  Local,      // A program of the host.
  Forwarded,  // A LAN member.
  Container,
  Outside,  // Somebody on the uplink's network; the leak is what the host answers.
};
std::string_view name_of(Origin origin);

enum class Way : std::uint8_t {
  Datagram,      // A UDP socket.
  LiveDatagram,  // One that was connected while all was well.
  Packet,        // A whole IP packet from a raw socket.
  Frame,         // From a packet socket, past routing and filter,
  FrameBypass,   // and past the queueing discipline as well.
  ArpQuestion,
};
std::string_view name_of(Way way);

struct Attack {
  std::string name{};
  LeakClass leak_class{};
  net::Family family = net::Family::V4;
  Origin origin = Origin::Local;
  Way way = Way::Datagram;
  // What the socket is bound to, or the frame leaves by: the host's; for members and outside, the
  // host's end of their cable. Empty: nothing.
  std::string device{};
  std::uint32_t mark = 0;
  bool binds_source = false;  // A datagram's.
  ProbePacket packet{};

  // "L19 raw-frame eth0 v4 local": the same attack in every certificate.
  std::string id() const;
};

// What cannot be tried, and why.
struct Untried {
  LeakClass leak_class{};
  std::string what{};
  std::string reason{};
};

struct Catalogue {
  static constexpr std::size_t kMaxAttacks = 4096;  // Beyond, uplinks and members are left out.
  std::vector<Attack> attacks{};
  std::vector<Untried> untried{};
};

Catalogue make_catalogue(const TwinPlan& plan);

}  // namespace ginnel::leaks
