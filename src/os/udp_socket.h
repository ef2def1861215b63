// One UDP socket of one address family, for WireGuard datagrams in batches. Joining and splitting
// in the kernel (GSO, GRO) is a property that may be absent; callers see the same either way.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "os/fd.h"
#include "os/receive_batch.h"
#include "os/udp_counters.h"
#include "os/udp_sender.h"
#include "os/udp_system.h"

namespace ginnel::os {

// The kernel doubles it and counts its own memory for each datagram. A gigabit link of full
// datagrams fills it in 9 ms, enough for a thread that is scheduled late; a sender on the same
// host, which joins them, in less than 2: what is behind them waits so long, and a thread that
// comes a whole time slice late loses little.
inline constexpr int kReceiveBufferBytes = 7 << 17;
// What waits here waits behind no queue discipline, so it is pure delay; two full batches fit.
inline constexpr int kSendBufferBytes = 1 << 20;
inline constexpr int kMaxSocketBufferBytes = 64 << 20;

// A switch for each address family, because one set of options makes the sockets of both.
struct FamilySwitch {
  bool v4;
  bool v6;

  constexpr FamilySwitch(bool both) : v4(both), v6(both) {}
  constexpr FamilySwitch(bool for_v4, bool for_v6) : v4(for_v4), v6(for_v6) {}
  constexpr bool of(net::Family family) const { return family == net::Family::V4 ? v4 : v6; }
};

struct UdpOptions {
  net::Address address{};       // Its family is the socket's. Unspecified: every local address.
  std::uint16_t port = 0;       // 0: any free one.
  std::uint32_t fwmark = 0;     // 0: none. Setting one needs CAP_NET_ADMIN.
  std::string interface{};      // Bound to this one; empty: all.
  bool before_address = false;  // The address may be one that comes later.
  // Each can be switched off, for kernels that get one wrong.
  FamilySwitch gso = true;
  FamilySwitch gro = true;
  // As far as this process may; at most kMaxSocketBufferBytes.
  int receive_buffer_bytes = kReceiveBufferBytes;
  int send_buffer_bytes = kSendBufferBytes;
  UdpSystem* system = nullptr;  // Null: the real one. Must outlive the socket.
};

// Whether other sockets may have the same port, so that each thread has one of its own and the
// kernel sends all datagrams of one endpoint to one of them.
enum class PortSharing : std::uint8_t {
  Exclusive,
  First,   // Fails when anybody has the port, then lets others join.
  Joining  // One more, next to a First in this process.
};

// Non-blocking. One thread sends and receives.
class UdpSocket {
 public:
  static Result<std::unique_ptr<UdpSocket>> bind(const UdpOptions& options,
                                                 PortSharing sharing = PortSharing::Exclusive);
  // The same socket for another thread, which should only send: each has its own memory, counters
  // and opinion about GSO.
  Result<std::unique_ptr<UdpSocket>> duplicate() const;

  UdpSocket(const UdpSocket&) = delete;
  UdpSocket& operator=(const UdpSocket&) = delete;

  // Replaces what is in `batch` by what waits, up to `messages` and what it holds, in one system
  // call. Returns the number of datagrams; 0 when nothing waits. Each names the path it took, with
  // the address of ours that it came to.
  std::size_t receive(ReceiveBatch& batch, std::size_t messages = ReceiveBatch::kMaxMessages);

  // Sends all, in order. Neighbours with the same path and ECN bits and of one size (the last may
  // be shorter) go out as one message. Nothing is retried later and nothing waits: when the kernel
  // takes no more, the rest is dropped and counted. A path whose local address is known sends from
  // there, or, when the kernel says that it is gone, from what the route prefers.
  // REQUIRES: every datagram has a path.
  void send(std::span<const net::Datagram> datagrams) { sender_.send(datagrams); }

  // Another thread may call it.
  Status set_fwmark(std::uint32_t fwmark);

  int fd() const { return fd_.get(); }  // To poll for reading.
  net::Family family() const { return family_; }
  std::uint16_t local_port() const { return port_; }
  const UdpCounters& counters() const { return *counters_; }
  // For another thread, which may still ask when the socket is closed.
  std::shared_ptr<const UdpCounters> share_counters() const { return counters_; }
  // What the kernel dropped because nobody received it in time.
  std::uint64_t receive_overflows() const;
  // Whether datagrams are joined on sending, and may come joined. Any thread may ask.
  bool gso() const { return sender_.gso(); }
  bool gro() const { return gro_; }

 private:
  UdpSocket(Fd fd, const UdpOptions& options, bool gro, std::uint16_t port);

  Fd fd_;
  UdpOptions options_;
  net::Family family_;
  std::uint16_t port_;
  bool gro_;
  LinuxUdpSystem real_system_;
  std::shared_ptr<UdpCounters> counters_ = std::make_shared<UdpCounters>();
  UdpSender sender_;
};

}  // namespace ginnel::os
