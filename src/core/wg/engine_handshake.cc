// The part of the engine that speaks: initiations, responses and cookie replies.
#include "core/wg/engine.h"

namespace ginnel::wg {
namespace {

// Appends a finished message to what has to be sent.
template <class Message>
void emit(const Message& message, const net::PathAddress& to, ControlOutbox& out) {
  static_assert(sizeof message <= HandshakeDatagram::kMaxBytes);
  ControlDatagram& datagram = out.datagrams.emplace_back();
  datagram.size = sizeof message;
  datagram.path = to;
  std::memcpy(datagram.bytes.data(), &message, sizeof message);
}

const crypto::PresharedKey& psk_of(const Peer& peer, const crypto::PresharedKey& none) {
  return peer.preshared_key ? *peer.preshared_key : none;
}

}  // namespace

void Engine::handle_handshake(const Now& now, const HandshakeDatagram& datagram,
                              ControlOutbox& out) {
  const auto message = parse_message(datagram.view());
  if (!message) {
    drops_.add(message.error());
  } else if (!identity_ || !up_) {
    drops_.add(Drop::UnknownPeer);
  } else if (const auto* initiation = std::get_if<HandshakeInitiation>(&*message)) {
    if (admit(now, datagram, out)) handle_initiation(now, *initiation, datagram.path, out);
  } else if (const auto* response = std::get_if<HandshakeResponse>(&*message)) {
    if (admit(now, datagram, out)) handle_response(now, *response, datagram.path, out);
  } else if (const auto* reply = std::get_if<CookieReply>(&*message)) {
    handle_cookie_reply(now, *reply);
  }
}

// Whether a message is worth a curve operation: its sender knows our public key and, under load,
// has shown that it receives what is sent to its address, and keeps to the rate.
bool Engine::admit(const Now& now, const HandshakeDatagram& datagram, ControlOutbox& out) {
  if (!has_valid_mac1(*identity_, datagram.view())) {
    drops_.add(Drop::BadMac1);
    return false;
  }
  if (!load_.under_load(now.mono)) return true;
  const net::Endpoint& source = datagram.path.remote;
  if (!cookie_server_.has_valid_mac2(*identity_, now.mono, rng_, source, datagram.view())) {
    drops_.add(Drop::CookieRequired);
    if (!load_.swamped()) {
      emit(cookie_server_.reply(*identity_, now.mono, rng_, source, datagram.view()), datagram.path,
           out);
    }
    return false;
  }
  if (!limiter_.admit(now.mono, source.address)) {
    drops_.add(Drop::RateLimited);
    return false;
  }
  return true;
}

void Engine::handle_initiation(const Now& now, const HandshakeInitiation& initiation,
                               const net::PathAddress& from, ControlOutbox& out) {
  auto handshake = ResponderState::begin(*identity_, initiation);
  if (!handshake) return drops_.add(handshake.error());
  const PeerSlot slot = peers_.slot_of(handshake->claimed_peer());
  if (slot == kNoPeer) return drops_.add(Drop::UnknownPeer);
  Peer& peer = *peers_.find(slot);
  const StaticStatic* static_static = static_static_of(peer);
  if (static_static == nullptr) return drops_.add(Drop::LowOrderPoint);
  const auto timestamp = handshake->authenticate(*identity_, initiation, *static_static);
  if (!timestamp) return drops_.add(timestamp.error());

  // From here on it is the peer's doing, today or at some time before.
  PeerActivity& activity = activate(slot, peer);
  if (*timestamp <= peer.greatest_timestamp) {
    note_failure(activity, HandshakeFailure::Replayed);
    return drops_.add(Drop::ReplayedHandshake);
  }
  if (activity.last_initiation_received != kNever &&
      now.mono - activity.last_initiation_received < kMinInitiationInterval) {
    note_failure(activity, HandshakeFailure::TooFrequent);
    return drops_.add(Drop::RateLimited);
  }
  peer.greatest_timestamp = *timestamp;
  activity.last_initiation_received = now.mono;
  respond(now, slot, peer, *handshake, SessionIndex{initiation.sender.get()}, from, out);
}

void Engine::respond(const Now& now, PeerSlot slot, Peer& peer, ResponderState& handshake,
                     SessionIndex remote, const net::PathAddress& from, ControlOutbox& out) {
  PeerActivity& activity = *peer.activity;
  const std::optional<SessionIndex> index = tables_.sessions.reserve(slot);
  if (!index) return drops_.add(Drop::QueueFull);
  const crypto::PresharedKey no_psk;
  HandshakeResponse response;
  auto keys = handshake.respond(*identity_, {.psk = psk_of(peer, no_psk), .sender = *index}, rng_,
                                response);
  if (!keys) {
    tables_.sessions.release(*index);
    note_failure(activity, HandshakeFailure::LowOrderKey);
    return drops_.add(keys.error());
  }
  activity.cookies.add_macs(*identity_, peer.public_key, now.mono, response);
  Session& session = tables_.sessions.publish(
      std::make_unique<Session>(SessionSetup{.local_index = *index,
                                             .remote_index = remote,
                                             .peer = slot,
                                             .path = &activity.path,
                                             .is_initiator = false,
                                             .created = now.mono},
                                std::move(keys->send), std::move(keys->receive)));
  // The responder waits: until the initiator has used the session, it may not have got the answer.
  release(activity.next);
  activity.next = &session;

  // An initiation can be an old one played again after we were restarted and forgot its timestamp.
  // Where a peer is shows when it uses the session.
  if (!peer.endpoint) set_endpoint(peer, from);
  note_received(now, activity, sizeof(HandshakeInitiation));
  emit(response, from, out);
  note_sent(now, activity, sizeof response);
  activity.timers.on_session_made(now.mono);
  rearm(now, slot, peer);
}

void Engine::handle_response(const Now& now, const HandshakeResponse& response,
                             const net::PathAddress& from, ControlOutbox& out) {
  const SessionIndex index{response.receiver.get()};
  const PeerSlot slot = tables_.sessions.holder(index);
  Peer* peer = slot == kNoPeer ? nullptr : peers_.find(slot);
  if (peer == nullptr || !peer->activity || peer->activity->initiation_index != index) {
    return drops_.add(Drop::StaleHandshake);
  }
  PeerActivity& activity = *peer->activity;
  const crypto::PresharedKey no_psk;
  auto keys = activity.initiation->finish(*identity_, psk_of(*peer, no_psk), response);
  if (!keys) {
    note_failure(activity, HandshakeFailure::BadResponse);
    return drops_.add(keys.error());
  }
  activity.initiation.reset();
  activity.initiation_index.reset();
  Session& session = tables_.sessions.publish(
      std::make_unique<Session>(SessionSetup{.local_index = index,
                                             .remote_index = SessionIndex{response.sender.get()},
                                             .peer = slot,
                                             .path = &activity.path,
                                             .is_initiator = true,
                                             .created = now.mono},
                                std::move(keys->send), std::move(keys->receive)));
  follow(now, *peer, from, out);
  note_received(now, activity, sizeof response);
  activity.timers.on_handshake_done();
  activity.timers.on_session_made(now.mono);
  install_initiator_session(slot, activity, session, out);
  peer->last_handshake = now.unix;
  out.events.push_back({EngineEvent::Kind::SessionMade, peer->public_key});
  // The responder may not send before it has heard from us; packets may or may not be waiting.
  send_keepalive(now, slot, *peer, out);
  rearm(now, slot, *peer);
}

void Engine::handle_cookie_reply(const Now& now, const CookieReply& reply) {
  const SessionIndex index{reply.receiver.get()};
  const PeerSlot slot = tables_.sessions.holder(index);
  Peer* peer = slot == kNoPeer ? nullptr : peers_.find(slot);
  if (peer == nullptr || !peer->activity) return drops_.add(Drop::StaleHandshake);
  const auto taken = peer->activity->cookies.consume(*identity_, peer->public_key, now.mono, reply);
  if (!taken) drops_.add(taken.error());
}

// Sends an initiation, unless one was sent a moment ago: then its answer, or its retransmission,
// is on the way.
void Engine::initiate(const Now& now, PeerSlot slot, Peer& peer, ControlOutbox& out) {
  if (!identity_ || !up_) return tell_workers(WorkerCommand::Kind::DropStaged, slot, out);
  if (!peer.endpoint) {
    note_failure(activate(slot, peer), HandshakeFailure::NoEndpoint);
    drops_.add(Drop::NoEndpoint);
    return tell_workers(WorkerCommand::Kind::DropStaged, slot, out);
  }
  PeerActivity& activity = activate(slot, peer);
  if (activity.last_initiation_sent != kNever &&
      now.mono - activity.last_initiation_sent < kRekeyTimeout) {
    return;
  }
  const StaticStatic* static_static = static_static_of(peer);
  if (static_static == nullptr) {
    note_failure(activity, HandshakeFailure::LowOrderKey);
    drops_.add(Drop::LowOrderPoint);
    return tell_workers(WorkerCommand::Kind::DropStaged, slot, out);
  }
  drop_initiation(activity);
  const std::optional<SessionIndex> index = tables_.sessions.reserve(slot);
  if (!index) return drops_.add(Drop::QueueFull);
  activity.last_timestamp_sent = Tai64n::newer_than(activity.last_timestamp_sent, now.unix);
  HandshakeInitiation initiation;
  auto state = InitiatorState::begin(*identity_,
                                     {.peer = peer.public_key,
                                      .static_static = *static_static,
                                      .timestamp = activity.last_timestamp_sent,
                                      .sender = *index},
                                     rng_, initiation);
  if (!state) {
    tables_.sessions.release(*index);
    return drops_.add(state.error());
  }
  activity.cookies.add_macs(*identity_, peer.public_key, now.mono, initiation);
  activity.initiation = std::move(*state);
  activity.initiation_index = *index;
  activity.last_initiation_sent = now.mono;
  emit(initiation, *peer.endpoint, out);
  note_sent(now, activity, sizeof initiation);
  const auto jitter_bound = static_cast<std::uint64_t>(Duration(kMaxTimerJitter).count());
  activity.timers.on_initiation_sent(now.mono, Duration(rng_.below(jitter_bound)));
}

// Null when the peer's key is a point of low order: no handshake with it can be secret.
const StaticStatic* Engine::static_static_of(Peer& peer) {
  if (!peer.static_static) {
    auto secret = identity_->agree_with(peer.public_key);
    if (!secret) return nullptr;
    peer.static_static = std::make_unique<StaticStatic>(std::move(*secret));
  }
  return peer.static_static.get();
}

void Engine::drop_initiation(PeerActivity& activity) {
  if (activity.initiation_index) tables_.sessions.release(*activity.initiation_index);
  activity.initiation.reset();
  activity.initiation_index.reset();
}

}  // namespace ginnel::wg
