// The control engine of one WireGuard device: peers, handshakes, timers, configuration. Sans-IO: it
// is told the time and what came in, and appends what has to happen to a ControlOutbox. One thread
// owns it; DataWorkers on the same SharedTables carry the traffic.
#pragma once

#include <optional>
#include <vector>

#include "base/result.h"
#include "base/rng.h"
#include "core/wg/deadline_queue.h"
#include "core/wg/device_config.h"
#include "core/wg/drop_counters.h"
#include "core/wg/handshake_limiter.h"
#include "core/wg/noise.h"
#include "core/wg/peer_table.h"
#include "core/wg/shared_tables.h"

namespace ginnel::wg {

// A handshake message or keepalive to send.
struct ControlDatagram {
  std::array<std::uint8_t, HandshakeDatagram::kMaxBytes> bytes;
  std::uint8_t size = 0;
  net::PathAddress path;

  ByteView view() const { return {bytes.data(), size}; }
};

// Something an operator may want to know. Services turn these into logs and metrics.
struct EngineEvent {
  enum class Kind : std::uint8_t { SessionMade, GaveUp, Roamed, KeysErased };
  Kind kind;
  crypto::PublicKey peer;
};

struct ControlOutbox {
  std::vector<ControlDatagram> datagrams;
  std::vector<EngineEvent> events;
  bool wake_workers = false;  // Commands wait in the workers' mailboxes.

  void clear() {
    datagrams.clear();
    events.clear();
    wake_workers = false;
  }
};

class Engine {
 public:
  // How many handshake messages one call of handle_mailbox() works on: each costs curve operations,
  // and timers and configuration must not wait for a flood.
  static constexpr std::size_t kMaxHandshakesPerTurn = 64;

  Engine(SharedTables& tables, Rng& rng);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Whether apply() would keep every limit. Says which it would break, and how to stay below.
  Status check(const DeviceChange& change) const;
  // REQUIRES: check() said yes. Listen port and fwmark are the socket owner's and ignored here.
  void apply(const Now& now, DeviceChange change, ControlOutbox& out);
  // Ports and marks are left for the socket owner to fill in.
  DeviceStatus status() const;

  // Whether the interface is up; it is at first. A device that is down neither speaks nor listens,
  // and has no sessions; one that comes up greets the peers it is to keep alive.
  void set_up(const Now& now, bool up, ControlOutbox& out);

  // Works on what the workers have posted. True: more waits, call again soon.
  bool handle_mailbox(const Now& now, ControlOutbox& out);
  void handle_timeout(const Now& now, ControlOutbox& out);
  MonoTime next_timeout() const { return deadlines_.next(); }

  const DropCounters& drops() const { return drops_; }
  std::size_t peer_count() const { return peers_.size(); }

 private:
  // engine_config.cc
  void set_private_key(const Now& now, crypto::PrivateKey key, ControlOutbox& out);
  void apply_peer(const Now& now, PeerChange change, ControlOutbox& out);
  void apply_allowed_ips(PeerSlot slot, const PeerChange& change);
  void remove_peer(PeerSlot slot, ControlOutbox& out);
  PeerStatus status_of(PeerSlot slot, const Peer& peer) const;

  // engine_handshake.cc
  void handle_handshake(const Now& now, const HandshakeDatagram& datagram, ControlOutbox& out);
  bool admit(const Now& now, const HandshakeDatagram& datagram, ControlOutbox& out);
  void handle_initiation(const Now& now, const HandshakeInitiation& initiation,
                         const net::PathAddress& from, ControlOutbox& out);
  void respond(const Now& now, PeerSlot slot, Peer& peer, ResponderState& handshake,
               SessionIndex remote, const net::PathAddress& from, ControlOutbox& out);
  void handle_response(const Now& now, const HandshakeResponse& response,
                       const net::PathAddress& from, ControlOutbox& out);
  void handle_cookie_reply(const Now& now, const CookieReply& reply);
  void initiate(const Now& now, PeerSlot slot, Peer& peer, ControlOutbox& out);
  const StaticStatic* static_static_of(Peer& peer);
  void drop_initiation(PeerActivity& activity);

  // engine.cc
  void handle_event(const Now& now, const WorkerEvent& event, ControlOutbox& out);
  void handle_peer_timeout(const Now& now, PeerSlot slot, Peer& peer, ControlOutbox& out);
  void rearm(const Now& now, PeerSlot slot, Peer& peer);
  PeerActivity& activate(PeerSlot slot, Peer& peer);
  void set_endpoint(Peer& peer, const net::PathAddress& path);
  bool send_keepalive(const Now& now, PeerSlot slot, Peer& peer, ControlOutbox& out);
  void give_up(PeerSlot slot, Peer& peer, ControlOutbox& out);
  void install_initiator_session(PeerSlot slot, PeerActivity& activity, Session& session,
                                 ControlOutbox& out);
  void confirm(const Now& now, PeerSlot slot, Peer& peer, SessionIndex index, ControlOutbox& out);
  void release(Session*& session);
  void erase_sessions(PeerActivity& activity);
  void forget_handshakes(PeerActivity& activity);
  void unlink(PeerSlot slot, Peer& peer);
  void follow(const Now& now, Peer& peer, const net::PathAddress& from, ControlOutbox& out);
  void note_received(const Now& now, PeerActivity& activity, std::size_t bytes);
  void note_sent(const Now& now, PeerActivity& activity, std::size_t bytes);
  void note_failure(PeerActivity& activity, HandshakeFailure failure);
  void tell_workers(WorkerCommand::Kind kind, PeerSlot slot, ControlOutbox& out);

  SharedTables& tables_;
  Rng& rng_;
  PeerTable peers_;
  DeadlineQueue deadlines_;
  bool up_ = true;
  std::optional<Identity> identity_;  // Absent: no private key, nothing is answered or sent.
  CookieServer cookie_server_;
  HandshakeLimiter limiter_;
  LoadGauge load_;
  std::unique_ptr<crypto::AeadBatch> aead_;
  DropCounters drops_;
  std::vector<WorkerEvent> events_;  // Scratch of one turn.
};

}  // namespace ginnel::wg
