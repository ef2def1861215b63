// The data path of one thread: inner packets become transport datagrams and the other way round, a
// batch at a time and in place. Handshakes are handed to the control engine. No I/O, no clock, no
// lock held across packets, no allocation in steady state.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <vector>

#include "core/crypto/aead_batch.h"
#include "core/wg/drop_counters.h"
#include "core/wg/shared_tables.h"
#include "core/wg/staged_packets.h"
#include "net/datagram.h"
#include "net/packet_batch.h"

namespace ginnel::wg {

// One thread drives it, turn by turn:
//
//   worker.begin_turn();
//   worker.handle_commands();
//   while (worker.load_staged(batch)) { worker.seal(now, batch, out); ...send out, clear both... }
//   ...seal() what the TUN device gave, open() what the socket gave...
//   worker.end_turn();            // Before it blocks.
//   if (worker.take_wake_control()) ...wake the control engine...
class DataWorker {
 public:
  // Larger inputs are worked on in slices of this size.
  static constexpr std::size_t kMaxBatch = net::PacketBatch::kMaxPackets;

  // `index` says which worker mailbox of `tables` is read.
  DataWorker(SharedTables& tables, std::size_t index, std::unique_ptr<crypto::AeadBatch> aead);

  void begin_turn() { reader_.enter(); }
  void end_turn() { reader_.leave(); }

  void handle_commands();
  // Moves packets whose peer can be sent to into the empty `batch`; false when there are none.
  bool load_staged(net::PacketBatch& batch) { return sealing_staged_ = staged_.load(batch); }

  // Seals every packet of `batch` that may go and appends the datagrams, which borrow `batch` and
  // stay valid until the turn ends. The others are kept back until a handshake is done, or dropped.
  void seal(MonoTime now, net::PacketBatch& batch, std::vector<net::Datagram>& out);

  // Opens datagrams in place and appends the inner packets, in the order they came, as views into
  // the datagrams.
  void open(MonoTime now, std::span<net::Datagram> datagrams, std::vector<ByteSpan>& packets);

  // Whether something for the control engine was posted since the last call.
  bool take_wake_control() { return std::exchange(wake_control_, false); }

  const DropCounters& drops() const { return drops_; }
  std::string_view aead_name() const { return aead_->name(); }

 private:
  struct Opening {
    Session* session;
    net::Datagram* datagram;
    std::uint64_t counter;
  };

  Session* route(MonoTime now, ByteSpan packet);
  void seal_run(MonoTime now, net::PacketBatch& batch, std::size_t first, std::size_t last,
                Session& session, std::vector<net::Datagram>& out);
  void hold_back(MonoTime now, PeerSlot peer, ByteView packet);

  void open_slice(MonoTime now, std::span<net::Datagram> slice, std::vector<ByteSpan>& packets);
  bool begin_open(MonoTime now, net::Datagram& datagram, Opening& opening);
  void hand_over(const net::Datagram& datagram);
  void accept_run(MonoTime now, std::size_t first, std::size_t last,
                  std::vector<ByteSpan>& packets);
  void report_news(MonoTime now, Session& session, const net::PathAddress& from);
  void deliver(const Session& session, const net::Datagram& datagram, ByteSpan plaintext,
               std::vector<ByteSpan>& packets);
  bool report(WorkerEvent event);

  SharedTables& tables_;
  WorkerMailbox& mailbox_;
  std::unique_ptr<crypto::AeadBatch> aead_;
  EpochDomain::Reader reader_;
  StagedPackets staged_;
  DropCounters drops_;
  bool wake_control_ = false;
  bool sealing_staged_ = false;  // The batch to be sealed is what load_staged() gave.

  // Scratch of one batch.
  std::array<crypto::AeadJob, kMaxBatch> jobs_;
  std::array<Session*, kMaxBatch> routes_;
  std::array<Opening, kMaxBatch> opening_;
  std::size_t job_count_ = 0;
  std::vector<WorkerCommand> commands_;
};

}  // namespace ginnel::wg
