// One netlink conversation with the kernel: requests with acknowledgement, dumps, and batches.
// Blocking, and the kernel answers at once; errors carry its own words where it has any.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "os/fd.h"

struct nlmsghdr;

namespace ginnel::os {

// Room for the largest message that we build or the kernel sends.
inline constexpr std::size_t kMaxNetlinkMessage = std::size_t{128} * 1024;

// A transaction is one datagram. There is always room for the usual one; more is asked for when it
// is needed.
inline constexpr std::size_t kUsualTransaction = std::size_t{4} * 1024 * 1024;
inline constexpr std::size_t kMaxTransaction = std::size_t{128} * 1024 * 1024;

// The kernel's refusal of one message.
struct NetlinkRefusal {
  std::uint32_t sequence = 0;
  int number = 0;        // errno.
  std::string reason{};  // The extended acknowledgement; often empty.

  // "WHAT: reason".
  Error error(std::string_view what) const;
};

class NetlinkSocket {
 public:
  using Message = std::function<void(const nlmsghdr& message)>;

  // `protocol` is NETLINK_ROUTE, NETLINK_NETFILTER or NETLINK_GENERIC.
  static Result<NetlinkSocket> open(int protocol);

  // Goes on with a conversation that another process may have left in the middle.
  static Result<NetlinkSocket> adopt(Fd fd);

  int fd() const { return fd_.get(); }
  const Fd& descriptor() const { return fd_; }
  // Numbers for the messages of this socket.
  std::uint32_t next_sequence() { return ++sequence_; }

  // Sends one message and waits for its acknowledgement. `what` begins the error's text.
  Status request(nlmsghdr& message, std::string_view what);

  // Sends one question about a single thing and hands over the answer. `what` as above.
  Status query(nlmsghdr& message, std::string_view what, const Message& each);

  // Sends one dump request and hands over every message of the answer. A dump that was torn by a
  // change is repeated from the start, after `restart`.
  Status dump(nlmsghdr& message, std::string_view what, const std::function<void()>& restart,
              const Message& each);

  // Sends a transaction whose message `acknowledged` asks for an answer. Returns what the kernel
  // refused, which is everything or nothing; empty when all of it took effect.
  Result<std::vector<NetlinkRefusal>> transact(ByteView messages, std::uint32_t acknowledged);

  // Erases what the kernel sent last, which may hold keys.
  void forget() { erase(buffer_); }

 private:
  explicit NetlinkSocket(Fd fd) : fd_(std::move(fd)), buffer_(kMaxNetlinkMessage) {}

  enum class Wait : bool { No, Yes };
  Status send(ByteView bytes);
  // One datagram into buffer_; empty when nothing waits.
  Result<ByteView> receive(Wait wait);

  enum class DumpEnd { Complete, Torn };
  Result<DumpEnd> read_dump(std::uint32_t sequence, std::string_view what, const Message& each);

  Fd fd_;
  std::uint32_t sequence_ = 0;
  std::vector<std::uint8_t> buffer_;
};

}  // namespace ginnel::os
