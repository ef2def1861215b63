// What the control engine and the data workers tell each other: values in bounded queues. A full
// queue loses a message; every message is one that the next packet, or the peer's retransmission,
// causes again, or whose loss the receiver learns of.
#pragma once

#include <array>
#include <atomic>

#include "base/bounded_queue.h"
#include "core/wg/messages.h"
#include "core/wg/peer_slot.h"
#include "net/datagram.h"

namespace ginnel::wg {

// From a worker to the control engine.
struct WorkerEvent {
  enum class Kind : std::uint8_t {
    NeedHandshake,  // Packets wait for the peer, or its session grows old.
    Confirmed,      // The initiator used the session: it may be used for sending.
    Roamed,         // An authentic message came by another way.
    Active,         // Traffic after quiet: timers have to watch the peer.
  };
  Kind kind;
  PeerSlot peer;
  SessionIndex session{};   // Confirmed and Roamed: the one that the message used.
  net::PathAddress path{};  // Roamed: the way it came.
};

// A datagram that is not transport data, copied for the control engine.
struct HandshakeDatagram {
  static constexpr std::size_t kMaxBytes = sizeof(HandshakeInitiation);

  net::PathAddress path;
  std::uint8_t size = 0;
  std::array<std::uint8_t, kMaxBytes> bytes;

  ByteView view() const { return {bytes.data(), size}; }
};

// From the control engine to a worker.
struct WorkerCommand {
  enum class Kind : std::uint8_t {
    SendStaged,  // The peer can be sent to.
    DropStaged,  // Nobody answered, or the peer is gone.
  };
  Kind kind;
  PeerSlot peer;
};

struct ControlMailbox {
  // Events cause no work beyond a look-up; handshakes cost curve operations, so their backlog is
  // what an answer may have to wait for: 1,024 take a tenth of a second.
  static constexpr std::size_t kMaxEvents = 8192;
  static constexpr std::size_t kMaxHandshakes = 1024;

  BoundedQueue<WorkerEvent> events{kMaxEvents};
  BoundedQueue<HandshakeDatagram> handshakes{kMaxHandshakes};
};

struct WorkerMailbox {
  static constexpr std::size_t kMaxCommands = 4096;

  // Any thread. When there is no room, the worker learns that something was lost.
  void post(const WorkerCommand& command) {
    if (!commands.push(WorkerCommand(command))) lost_some.store(true);
  }

  BoundedQueue<WorkerCommand> commands{kMaxCommands};
  // The lost command may have been to drop packets of a peer that is gone, whose slot another peer
  // takes: a worker that sees this drops all that waits.
  std::atomic<bool> lost_some{false};
};

}  // namespace ginnel::wg
