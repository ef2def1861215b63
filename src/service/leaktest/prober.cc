#include "service/leaktest/prober.h"

namespace ginnel::leaktest {
namespace {

using leaks::Attack;
using leaks::Origin;
using leaks::Way;
using Kind = os::ProbeOptions::Kind;

net::Endpoint target_of(const Attack& attack) {
  return {.address = attack.packet.destination, .port = attack.packet.destination_port};
}

Kind kind_of(Way way) {
  switch (way) {
    case Way::Datagram:
    case Way::LiveDatagram:
      return Kind::Datagram;
    case Way::Packet:
      return Kind::Packet;
    case Way::Frame:
    case Way::ArpQuestion:
      return Kind::Frame;
    case Way::FrameBypass:
      return Kind::FrameBypass;
  }
  std::unreachable();
}

bool is_frame(const Attack& attack) { return attack.way >= Way::Frame; }

}  // namespace

Result<Prober> Prober::open(const Twin& twin, const leaks::Catalogue& catalogue,
                            std::uint64_t run) {
  Prober prober(twin, catalogue, run);
  for (std::size_t i = 0; i < catalogue.attacks.size(); ++i) {
    if (Status armed = prober.arm(i); !armed) return pass(std::move(armed));
  }
  return prober;
}

Status Prober::arm(std::size_t index) {
  const Attack& attack = catalogue_->attacks[index];
  if (attack.origin == Origin::Local) return arm_local(attack, armed_[index]);
  return arm_remote(attack, armed_[index]);
}

Status Prober::arm_local(const Attack& attack, Armed& armed) const {
  os::ProbeOptions options{.kind = kind_of(attack.way),
                           .family = attack.family,
                           .interface = attack.device,
                           .fwmark = attack.mark};
  if (attack.binds_source) options.source = attack.packet.source;
  if (attack.way == Way::LiveDatagram) options.connect = target_of(attack);
  auto socket = os::ProbeSocket::open(options);
  if (!socket) return pass(std::move(socket));
  armed.socket = std::move(*socket);
  if (!is_frame(attack)) return ok();
  auto near = os::hardware_address(attack.device);
  if (!near) return pass(std::move(near));
  armed.near = *near;
  return twin_->in_internet([&]() -> Status {
    auto far = os::hardware_address(twin_->cable_of(attack.device).far);
    if (!far) return pass(std::move(far));
    armed.far = *far;
    return ok();
  });
}

// From the other end of a cable. What takes it on the host is the bridge for its ports.
Status Prober::arm_remote(const Attack& attack, Armed& armed) const {
  const leaks::TwinLink& cable = twin_->cable_of(attack.device);
  auto far = os::hardware_address(cable.master.empty() ? cable.name : cable.master);
  if (!far) return pass(std::move(far));
  armed.far = *far;
  const auto open = [&]() -> Status {
    auto near = os::hardware_address(cable.far);
    if (!near) return pass(std::move(near));
    armed.near = *near;
    auto socket = os::ProbeSocket::open({.kind = kind_of(attack.way), .interface = cable.far});
    if (!socket) return pass(std::move(socket));
    armed.socket = std::move(*socket);
    return ok();
  };
  const bool is_outside = attack.origin == Origin::Outside;
  return is_outside ? twin_->in_internet(open) : twin_->among_members(open);
}

Status Prober::reconnect() {
  for (std::size_t i = 0; i < armed_.size(); ++i) {
    if (catalogue_->attacks[i].way != Way::LiveDatagram) continue;
    if (Status armed = arm(i); !armed) return armed;
  }
  return ok();
}

void Prober::send_live(std::size_t phase, leaks::Tally& tally) const {
  for (std::size_t i = 0; i < armed_.size(); ++i) {
    if (catalogue_->attacks[i].way == Way::LiveDatagram) send(i, phase, tally);
  }
}

leaks::Bytes Prober::bytes_of(const Attack& attack, const Armed& armed,
                              const leaks::ProbeTag& tag) const {
  const leaks::Bytes payload = to_payload(tag);
  if (attack.way == Way::ArpQuestion) {
    return leaks::arp_question(armed.near, attack.packet.source, attack.packet.destination);
  }
  if (attack.way == Way::Datagram || attack.way == Way::LiveDatagram) return payload;
  const leaks::Bytes packet = to_bytes(attack.packet, payload);
  if (attack.way == Way::Packet) return packet;
  const bool v4 = attack.family == net::Family::V4;
  return leaks::ethernet_frame(armed.far, armed.near, v4 ? leaks::kEtherIpv4 : leaks::kEtherIpv6,
                               packet);
}

void Prober::send(std::size_t attack, std::size_t phase, leaks::Tally& tally) const {
  const Attack& what = catalogue_->attacks[attack];
  const leaks::ProbeTag tag{.run = run_,
                            .attack = static_cast<std::uint16_t>(attack),
                            .phase = static_cast<std::uint16_t>(phase)};
  const Armed& armed = armed_[attack];
  const bool accepted = armed.socket->send(bytes_of(what, armed, tag), target_of(what));
  tally.note_try(phase, attack, accepted);
}

void Prober::send_all(std::size_t phase, leaks::Tally& tally) const {
  for (std::size_t i = 0; i < armed_.size(); ++i) send(i, phase, tally);
}

}  // namespace ginnel::leaktest
