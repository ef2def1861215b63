#include "core/wg/data_worker.h"

#include "net/ecn.h"
#include "net/ip_packet.h"

namespace ginnel::wg {
namespace {

constexpr std::size_t kHeaderSize = TransportView::kHeaderSize;
constexpr std::size_t kTagSize = TransportView::kTagSize;
static_assert(kHeaderSize == net::PacketBatch::kHeadroom);
static_assert(kTagSize == net::PacketBatch::kTagroom);
static_assert(DataWorker::kMaxBatch <= Session::kMaxReservation);

ByteSpan sealed_part(const net::Datagram& datagram) { return datagram.bytes.subspan(kHeaderSize); }

ByteSpan plain_part(const net::Datagram& datagram) {
  const ByteSpan sealed = sealed_part(datagram);
  return sealed.first(sealed.size() - kTagSize);
}

}  // namespace

DataWorker::DataWorker(SharedTables& tables, std::size_t index,
                       std::unique_ptr<crypto::AeadBatch> aead)
    : tables_(tables),
      mailbox_(*tables.worker_mailboxes.at(index)),
      aead_(std::move(aead)),
      reader_(tables.epochs) {}

void DataWorker::handle_commands() {
  commands_.clear();
  mailbox_.commands.drain(commands_);
  for (const WorkerCommand& command : commands_) {
    switch (command.kind) {
      case WorkerCommand::Kind::SendStaged:
        staged_.release(command.peer);
        break;
      case WorkerCommand::Kind::DropStaged:
        drops_.add(Drop::Unanswered, staged_.drop(command.peer));
        break;
    }
  }
  if (mailbox_.lost_some.load(std::memory_order_relaxed) && mailbox_.lost_some.exchange(false)) {
    drops_.add(Drop::Unanswered, staged_.drop_all());
  }
}

// False when there is no room: whoever reports something that happens once has to put it back.
bool DataWorker::report(WorkerEvent event) {
  const bool reported = tables_.control.events.push(std::move(event));
  if (!reported) drops_.add(Drop::QueueFull);
  wake_control_ = true;
  return reported;
}

void DataWorker::seal(MonoTime now, net::PacketBatch& batch, std::vector<net::Datagram>& out) {
  job_count_ = 0;
  const std::size_t count = batch.size();
  for (std::size_t i = 0; i < count; ++i) routes_[i] = route(now, batch.packet(i));
  for (std::size_t first = 0, last = 0; first < count; first = last) {
    Session* session = routes_[first];
    while (last < count && routes_[last] == session) ++last;
    if (session != nullptr) seal_run(now, batch, first, last, *session, out);
  }
  sealing_staged_ = false;
  aead_->seal(std::span(jobs_.data(), job_count_));
}

// The session that a packet goes out with. Null when it was dropped or held back.
Session* DataWorker::route(MonoTime now, ByteSpan packet) {
  const auto ip = net::IpPacket::parse(packet);
  if (!ip) {
    drops_.add(Drop::NotIp);
    return nullptr;
  }
  const std::uint8_t* addresses = ip->addresses().data();
  const PeerSlot peer = ip->is_v4() ? tables_.allowed_ips.find_v4(addresses + 4)
                                    : tables_.allowed_ips.find_v6(addresses + 16);
  if (peer == kNoPeer) {
    drops_.add(Drop::NoRoute);
    return nullptr;
  }
  const PeerPath* path = tables_.paths.find(peer);
  Session* session = path == nullptr ? nullptr : path->current.load(std::memory_order_acquire);
  const bool usable = session != nullptr && !session->expired(now) &&
                      path->endpoint.load(std::memory_order_acquire) != nullptr;
  if (!usable) {
    hold_back(now, peer, packet);
    return nullptr;
  }
  if (!sealing_staged_ && staged_.holds(peer)) {  // Packets read earlier go first.
    drops_.add(Drop::QueueFull, staged_.add(peer, packet));
    staged_.release(peer);
    return nullptr;
  }
  return session;
}

void DataWorker::hold_back(MonoTime now, PeerSlot peer, ByteView packet) {
  drops_.add(Drop::QueueFull,
             sealing_staged_ ? staged_.put_back(peer, packet) : staged_.add(peer, packet));
  if (staged_.holds(peer) && staged_.take_ask(peer, now)) {
    report({.kind = WorkerEvent::Kind::NeedHandshake, .peer = peer});
  }
}

// Packets [first, last) of the batch go out with one session: one reservation of counters, one
// update of the peer's books.
void DataWorker::seal_run(MonoTime now, net::PacketBatch& batch, std::size_t first,
                          std::size_t last, Session& session, std::vector<net::Datagram>& out) {
  const std::size_t count = last - first;
  PeerPath& path = session.path();
  const std::optional<std::uint64_t> counter = session.reserve_counters(count);
  if (!counter) {
    for (std::size_t i = first; i < last; ++i) hold_back(now, session.peer(), batch.packet(i));
    return;
  }
  const net::PathAddress* to = path.endpoint.load(std::memory_order_acquire);
  std::size_t bytes = 0;
  for (std::size_t i = first; i < last; ++i) {
    const ByteSpan datagram = batch.datagram(i);
    const std::uint64_t number = *counter + (i - first);
    write_transport_header(datagram, session.remote_index(), number);
    jobs_[job_count_++] = {
        .key = &session.send_key(), .counter = number, .data = datagram.subspan(kHeaderSize)};
    out.push_back({.bytes = datagram, .path = to, .ecn = batch.ecn(i)});
    bytes += datagram.size();
  }
  path.sent.add(bytes, count);
  if (path.note_sent(now, true) &&
      !report({.kind = WorkerEvent::Kind::Active, .peer = path.slot})) {
    path.put_back_sent();
  }
  if (session.take_rekey_on_send(now) &&
      !report({.kind = WorkerEvent::Kind::NeedHandshake, .peer = path.slot})) {
    session.put_back_rekey_on_send();
  }
}

void DataWorker::open(MonoTime now, std::span<net::Datagram> datagrams,
                      std::vector<ByteSpan>& packets) {
  while (!datagrams.empty()) {
    const std::size_t count = std::min(datagrams.size(), kMaxBatch);
    open_slice(now, datagrams.first(count), packets);
    datagrams = datagrams.subspan(count);
  }
}

void DataWorker::open_slice(MonoTime now, std::span<net::Datagram> slice,
                            std::vector<ByteSpan>& packets) {
  job_count_ = 0;
  for (net::Datagram& datagram : slice) {
    Opening& opening = opening_[job_count_];
    if (!begin_open(now, datagram, opening)) continue;
    jobs_[job_count_++] = {.key = &opening.session->receive_key(),
                           .counter = opening.counter,
                           .data = sealed_part(datagram)};
  }
  aead_->open(std::span(jobs_.data(), job_count_));
  for (std::size_t first = 0, last = 0; first < job_count_; first = last) {
    while (last < job_count_ && opening_[last].session == opening_[first].session) ++last;
    accept_run(now, first, last, packets);
  }
}

// Finds the session of a transport datagram. False when there is nothing to decrypt.
bool DataWorker::begin_open(MonoTime now, net::Datagram& datagram, Opening& opening) {
  const auto transport = parse_transport(datagram.bytes);
  if (!transport) {
    if (transport.error() == Drop::UnknownType) {
      hand_over(datagram);
    } else {
      drops_.add(transport.error());
    }
    return false;
  }
  Session* session = tables_.sessions.find(transport->receiver);
  if (session == nullptr) {
    drops_.add(Drop::UnknownSession);
    return false;
  }
  if (session->expired(now) || transport->counter >= kRejectAfterMessages) {
    drops_.add(Drop::SessionExpired);
    return false;
  }
  opening = {.session = session, .datagram = &datagram, .counter = transport->counter};
  return true;
}

void DataWorker::hand_over(const net::Datagram& datagram) {
  // Whether the lengths fit is cheap to see here, and keeps garbage out of the queue.
  if (const auto message = parse_message(datagram.bytes); !message) {
    drops_.add(message.error());
    return;
  }
  HandshakeDatagram copy;
  copy.path = *datagram.path;
  copy.size = static_cast<std::uint8_t>(datagram.bytes.size());
  std::copy(datagram.bytes.begin(), datagram.bytes.end(), copy.bytes.begin());
  if (!tables_.control.handshakes.push(std::move(copy))) drops_.add(Drop::QueueFull);
  wake_control_ = true;
}

// Openings [first, last) are of one session: one lock of its window, one update of the books.
void DataWorker::accept_run(MonoTime now, std::size_t first, std::size_t last,
                            std::vector<ByteSpan>& packets) {
  Session& session = *opening_[first].session;
  PeerPath& path = session.path();
  session.with_window([&](ReplayWindow& window) {
    for (std::size_t i = first; i < last; ++i) {
      if (!jobs_[i].authentic) {
        drops_.add(Drop::BadTag);
      } else if (!window.accept(opening_[i].counter)) {
        jobs_[i].authentic = false;
        drops_.add(Drop::Replayed);
      }
    }
  });
  const net::PathAddress* from = nullptr;
  std::size_t bytes = 0, count = 0;
  bool any_data = false;
  for (std::size_t i = first; i < last; ++i) {
    if (!jobs_[i].authentic) continue;
    const net::Datagram& datagram = *opening_[i].datagram;
    from = datagram.path;
    bytes += datagram.bytes.size();
    ++count;
    const ByteSpan plaintext = plain_part(datagram);
    if (plaintext.empty()) continue;  // A keepalive.
    any_data = true;
    deliver(session, datagram, plaintext, packets);
  }
  if (count == 0) return;
  path.received.add(bytes, count);
  if (path.note_received(now, any_data) &&
      !report({.kind = WorkerEvent::Kind::Active, .peer = path.slot})) {
    path.put_back_received();
  }
  report_news(now, session, *from);
}

// What an authentic message means beyond its content.
void DataWorker::report_news(MonoTime now, Session& session, const net::PathAddress& from) {
  const PeerPath& path = session.path();
  const net::PathAddress* endpoint = path.endpoint.load(std::memory_order_acquire);
  if (endpoint == nullptr || *endpoint != from) {
    report({.kind = WorkerEvent::Kind::Roamed,
            .peer = path.slot,
            .session = session.local_index(),
            .path = from});
  }
  if (session.take_confirmation() && !report({.kind = WorkerEvent::Kind::Confirmed,
                                              .peer = path.slot,
                                              .session = session.local_index()})) {
    session.put_back_confirmation();
  }
  if (session.take_rekey_on_receive(now) &&
      !report({.kind = WorkerEvent::Kind::NeedHandshake, .peer = path.slot})) {
    session.put_back_rekey_on_receive();
  }
}

// An authentic plaintext becomes an inner packet if it is one, came from an address that the peer
// may use, and its ECN bits allow it.
void DataWorker::deliver(const Session& session, const net::Datagram& datagram, ByteSpan plaintext,
                         std::vector<ByteSpan>& packets) {
  const auto ip = net::IpPacket::parse(plaintext);
  if (!ip) {
    drops_.add(Drop::NotIp);
    return;
  }
  const std::uint8_t* addresses = ip->addresses().data();
  const PeerSlot owner =
      ip->is_v4() ? tables_.allowed_ips.find_v4(addresses) : tables_.allowed_ips.find_v6(addresses);
  if (owner != session.peer()) {
    drops_.add(Drop::SourceNotAllowed);
    return;
  }
  const std::optional<std::uint8_t> ecn = net::decapsulated_ecn(ip->ecn(), datagram.ecn);
  if (!ecn) {
    drops_.add(Drop::CongestionMarked);
    return;
  }
  if (*ecn != ip->ecn()) ip->set_ecn(*ecn);
  packets.push_back(ip->bytes());
}

}  // namespace ginnel::wg
