// The memory that UDP datagrams are received into: fixed, made once, a thread has one and uses it
// for all its sockets in turn.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "net/datagram.h"

struct mmsghdr;

namespace ginnel::os {

class UdpCounters;

class ReceiveBatch {
 public:
  // The kernel joins equal datagrams of one flow into one message of up to 64 KiB. Eight of them
  // divide the cost of the system call by eight when nothing is joined; when much is, half a
  // megabyte still stays in the L2 cache of a server until it is opened and written out. Pages
  // that no message reached take no memory.
  static constexpr std::size_t kMaxMessages = 8;
  static constexpr std::size_t kMessageBytes = 65536;
  // A sender on the same host can have 128 datagrams joined, the network 64.
  static constexpr std::size_t kMaxDatagramsPerMessage = 128;
  static constexpr std::size_t kMaxDatagrams = kMaxMessages * kMaxDatagramsPerMessage;

  // REQUIRES: 1 <= messages <= kMaxMessages.
  explicit ReceiveBatch(std::size_t messages = kMaxMessages);
  ~ReceiveBatch();
  ReceiveBatch(const ReceiveBatch&) = delete;
  ReceiveBatch& operator=(const ReceiveBatch&) = delete;

  // What the last receive brought, in order. Valid until the next; the bytes may be overwritten
  // (they are decrypted in place) and belong to this batch.
  std::span<net::Datagram> datagrams();
  // One path for each message that the kernel delivered.
  std::span<const net::PathAddress> paths() const;
  void clear();

  // For UdpSocket: the headers to receive into, at most `limit`, and what to make of the first
  // `count` of them.
  std::span<mmsghdr> prepare(std::size_t limit = kMaxMessages);
  void take(std::size_t count, UdpCounters& counters);

 private:
  struct Storage;

  void take_message(std::size_t index, UdpCounters& counters);

  std::unique_ptr<Storage> storage_;
};

}  // namespace ginnel::os
