// Messages out of a TCP stream, each behind its length (RFC 7766, 8).
#pragma once

#include <optional>

#include "core/dns/message.h"

namespace ginnel::dns {

class StreamFramer {
 public:
  static constexpr std::size_t kLengthBytes = 2;

  // Messages longer than this are not waited for.
  explicit StreamFramer(std::size_t max_message) : max_message_(max_message) {}

  void append(ByteView bytes) { received_.insert(received_.end(), bytes.begin(), bytes.end()); }
  // The next whole message.
  std::optional<Bytes> next();
  // A message is on its way that is too long, or too short to be one: give the stream up.
  bool is_hopeless() const;
  // What one may append now, so that never more is kept than one message.
  std::size_t room() const { return kLengthBytes + max_message_ - received_.size(); }

 private:
  std::optional<std::size_t> length() const;

  std::size_t max_message_;
  Bytes received_;
};

// REQUIRES: at most kMaxMessageBytes.
void append_framed(ByteView message, std::string& out);

}  // namespace ginnel::dns
