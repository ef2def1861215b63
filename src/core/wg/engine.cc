#include "core/wg/engine.h"

namespace ginnel::wg {
namespace {

TrafficStamps stamps_of(const PeerPath& path) {
  return {.awaiting_reply = path.awaiting_reply.get(),
          .owing_reply = path.owing_reply.get(),
          .last_sent = path.last_sent.get(),
          .last_received = path.last_received.get()};
}

bool any_traffic(const TrafficStamps& stamps) {
  return stamps.awaiting_reply != kNever || stamps.owing_reply != kNever;
}

}  // namespace

Engine::Engine(SharedTables& tables, Rng& rng)
    : tables_(tables),
      rng_(rng),
      peers_(tables.epochs),
      limiter_(rng),
      aead_(crypto::make_aead_batch(crypto::AeadLibrary::OpenSsl)) {}

Engine::~Engine() {
  peers_.for_each([this](PeerSlot slot, Peer& peer) { unlink(slot, peer); });
}

void Engine::set_up(const Now& now, bool up, ControlOutbox& out) {
  if (std::exchange(up_, up) == up) return;
  peers_.for_each([&](PeerSlot slot, Peer& peer) {
    if (up) {
      if (peer.persistent_keepalive_seconds != 0) initiate(now, slot, peer, out);
    } else if (peer.activity) {
      forget_handshakes(*peer.activity);
      tell_workers(WorkerCommand::Kind::DropStaged, slot, out);
    }
    rearm(now, slot, peer);
  });
  tables_.epochs.collect();
}

bool Engine::handle_mailbox(const Now& now, ControlOutbox& out) {
  events_.clear();
  tables_.control.events.drain(events_);
  for (const WorkerEvent& event : events_) handle_event(now, event, out);
  for (std::size_t i = 0; i < kMaxHandshakesPerTurn; ++i) {
    const std::size_t waiting = tables_.control.handshakes.size();
    const std::optional<HandshakeDatagram> datagram = tables_.control.handshakes.pop();
    if (!datagram) break;
    load_.note_depth(waiting, now.mono);
    handle_handshake(now, *datagram, out);
  }
  tables_.epochs.collect();
  return tables_.control.handshakes.size() > 0;
}

void Engine::handle_event(const Now& now, const WorkerEvent& event, ControlOutbox& out) {
  Peer* peer = peers_.find(event.peer);
  if (peer == nullptr) return;  // Removed since.
  switch (event.kind) {
    case WorkerEvent::Kind::NeedHandshake:
      initiate(now, event.peer, *peer, out);
      break;
    case WorkerEvent::Kind::Confirmed:
      confirm(now, event.peer, *peer, event.session, out);
      break;
    case WorkerEvent::Kind::Roamed:
      // The slot may have a new owner; the session's index says whom the message was from.
      if (tables_.sessions.holder(event.session) == event.peer) {
        follow(now, *peer, event.path, out);
      }
      break;
    case WorkerEvent::Kind::Active:
      break;  // rearm() below looks at the stamps.
  }
  rearm(now, event.peer, *peer);
}

void Engine::handle_timeout(const Now& now, ControlOutbox& out) {
  for (;;) {
    const PeerSlot slot = deadlines_.take_due(now.mono);
    if (slot == kNoPeer) break;
    handle_peer_timeout(now, slot, *peers_.find(slot), out);
  }
  tables_.epochs.collect();
}

void Engine::handle_peer_timeout(const Now& now, PeerSlot slot, Peer& peer, ControlOutbox& out) {
  PeerActivity& activity = *peer.activity;
  const PeerTimers::Due due = activity.timers.handle_timeout(now.mono, stamps_of(activity.path));
  if (due.give_up) give_up(slot, peer, out);
  if (due.new_handshake) activity.path.awaiting_reply.clear();
  if (due.retransmit || due.new_handshake) initiate(now, slot, peer, out);
  if (due.keepalive && !send_keepalive(now, slot, peer, out)) activity.path.owing_reply.clear();
  if (due.persistent_keepalive && !send_keepalive(now, slot, peer, out)) {
    initiate(now, slot, peer, out);
  }
  if (due.erase_keys) {
    erase_sessions(activity);  // Not an initiation that is out: its keys are of this moment.
    out.events.push_back({EngineEvent::Kind::KeysErased, peer.public_key});
  }
  rearm(now, slot, peer);
}

// Puts the peer's deadline where its timers and the stamps of its traffic say.
void Engine::rearm(const Now& now, PeerSlot slot, Peer& peer) {
  if (!peer.activity) return;
  PeerPath& path = peer.activity->path;
  TrafficStamps stamps = stamps_of(path);
  if (!any_traffic(stamps)) {
    path.watched.store(false, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_seq_cst);  // Pairs with PeerPath::start().
    stamps = stamps_of(path);
  }
  MonoTime next = peer.activity->timers.next_timeout(stamps);
  if (any_traffic(stamps)) {
    path.watched.store(true, std::memory_order_relaxed);
    // A stamp that starts from here on, unreported, is due this much later at the earliest.
    next = std::min(next, now.mono + kKeepaliveTimeout);
  }
  deadlines_.set(slot, next);
}

PeerActivity& Engine::activate(PeerSlot slot, Peer& peer) {
  if (!peer.activity) {
    peer.activity = std::make_unique<PeerActivity>(slot);
    peer.activity->path.endpoint.store(peer.endpoint.get(), std::memory_order_release);
    tables_.paths.set(slot, &peer.activity->path);
  }
  return *peer.activity;
}

void Engine::set_endpoint(Peer& peer, const net::PathAddress& path) {
  auto fresh = std::make_unique<const net::PathAddress>(path);
  if (peer.activity) {
    peer.activity->path.endpoint.store(fresh.get(), std::memory_order_release);
  }
  tables_.epochs.retire(std::exchange(peer.endpoint, std::move(fresh)));
}

// Sends to where the last authentic message came from.
void Engine::follow(const Now& now, Peer& peer, const net::PathAddress& from, ControlOutbox& out) {
  if (peer.endpoint && *peer.endpoint == from) return;
  const PeerActivity& activity = *peer.activity;  // Who was heard has one.
  if (now.mono < activity.left_until && from.remote == activity.left_endpoint) return;
  const bool moved = peer.endpoint && peer.endpoint->remote != from.remote;
  set_endpoint(peer, from);
  if (moved) out.events.push_back({EngineEvent::Kind::Roamed, peer.public_key});
}

// An empty transport message. False when there is no session to send it with.
bool Engine::send_keepalive(const Now& now, PeerSlot slot, Peer& peer, ControlOutbox& out) {
  PeerActivity& activity = activate(slot, peer);
  Session* session = activity.current;
  if (session == nullptr || session->expired(now.mono) || !peer.endpoint) return false;
  const std::optional<std::uint64_t> counter = session->reserve_counters(1);
  if (!counter) return false;

  ControlDatagram& datagram = out.datagrams.emplace_back();
  datagram.path = *peer.endpoint;
  datagram.size = TransportView::kHeaderSize + TransportView::kTagSize;
  const ByteSpan bytes(datagram.bytes.data(), datagram.size);
  write_transport_header(bytes, session->remote_index(), *counter);
  crypto::AeadJob job{.key = &session->send_key(),
                      .counter = *counter,
                      .data = bytes.subspan(TransportView::kHeaderSize)};
  aead_->seal({&job, 1});
  note_sent(now, activity, datagram.size);
  if (session->take_rekey_on_send(now.mono)) initiate(now, slot, peer, out);
  return true;
}

void Engine::give_up(PeerSlot slot, Peer& peer, ControlOutbox& out) {
  note_failure(*peer.activity, HandshakeFailure::Unanswered);
  drop_initiation(*peer.activity);
  peer.activity->path.awaiting_reply.clear();
  tell_workers(WorkerCommand::Kind::DropStaged, slot, out);
  out.events.push_back({EngineEvent::Kind::GaveUp, peer.public_key});
}

// The initiator may use its session at once: the responder holds the keys already.
void Engine::install_initiator_session(PeerSlot slot, PeerActivity& activity, Session& session,
                                       ControlOutbox& out) {
  Session* superseded = activity.current;
  activity.path.current.store(&session, std::memory_order_release);
  activity.current = &session;
  release(activity.previous);
  if (activity.next != nullptr) {
    // The peer has just begun to use that one; what it sent with it may still be on the way.
    activity.previous = std::exchange(activity.next, nullptr);
    release(superseded);
  } else {
    activity.previous = superseded;
  }
  tell_workers(WorkerCommand::Kind::SendStaged, slot, out);
}

void Engine::confirm(const Now& now, PeerSlot slot, Peer& peer, SessionIndex index,
                     ControlOutbox& out) {
  if (!peer.activity) return;
  PeerActivity& activity = *peer.activity;
  if (activity.next == nullptr || activity.next->local_index() != index) return;
  activity.path.current.store(activity.next, std::memory_order_release);
  release(activity.previous);
  activity.previous = activity.current;
  activity.current = std::exchange(activity.next, nullptr);
  // An initiation of ours may still be out: what it asked for is there.
  activity.timers.on_handshake_done();
  peer.last_handshake = now.unix;
  out.events.push_back({EngineEvent::Kind::SessionMade, peer.public_key});
  tell_workers(WorkerCommand::Kind::SendStaged, slot, out);
}

void Engine::release(Session*& session) {
  if (session != nullptr) tables_.sessions.release(session->local_index());
  session = nullptr;
}

void Engine::erase_sessions(PeerActivity& activity) {
  activity.path.current.store(nullptr, std::memory_order_release);
  release(activity.previous);
  release(activity.current);
  release(activity.next);
}

// Nothing that was begun before comes to anything, and the next handshake need not wait for it.
void Engine::forget_handshakes(PeerActivity& activity) {
  erase_sessions(activity);
  drop_initiation(activity);
  activity.timers.on_handshake_done();
  activity.last_initiation_sent = kNever;
}

// Takes everything of the peer out of the shared tables.
void Engine::unlink(PeerSlot slot, Peer& peer) {
  deadlines_.remove(slot);
  tables_.allowed_ips.remove_all(slot);
  tables_.paths.clear(slot);
  if (peer.activity) forget_handshakes(*peer.activity);
}

void Engine::note_sent(const Now& now, PeerActivity& activity, std::size_t bytes) {
  activity.path.sent.add(bytes, 1);
  static_cast<void>(activity.path.note_sent(now.mono, false));  // Only data can become "active".
}

void Engine::note_received(const Now& now, PeerActivity& activity, std::size_t bytes) {
  activity.path.received.add(bytes, 1);
  static_cast<void>(activity.path.note_received(now.mono, false));
}

void Engine::note_failure(PeerActivity& activity, HandshakeFailure failure) {
  ++activity.failures[static_cast<std::size_t>(failure)];
}

void Engine::tell_workers(WorkerCommand::Kind kind, PeerSlot slot, ControlOutbox& out) {
  for (const auto& mailbox : tables_.worker_mailboxes) mailbox->post({kind, slot});
  out.wake_workers = true;
}

}  // namespace ginnel::wg
