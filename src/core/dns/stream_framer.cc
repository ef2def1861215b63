#include "core/dns/stream_framer.h"

#include "base/check.h"

namespace ginnel::dns {

std::optional<std::size_t> StreamFramer::length() const {
  if (received_.size() < kLengthBytes) return std::nullopt;
  return load<Be16>(received_);
}

bool StreamFramer::is_hopeless() const {
  const auto size = length();
  return size && (*size > max_message_ || *size < kHeaderBytes);
}

std::optional<Bytes> StreamFramer::next() {
  const auto size = length();
  if (!size || is_hopeless() || received_.size() < kLengthBytes + *size) return std::nullopt;
  const auto begin = received_.begin() + kLengthBytes;
  const auto end = begin + static_cast<std::ptrdiff_t>(*size);
  Bytes message(begin, end);
  received_.erase(received_.begin(), end);
  return message;
}

void append_framed(ByteView message, std::string& out) {
  CHECK(message.size() <= kMaxMessageBytes);
  out.push_back(static_cast<char>(message.size() >> 8));
  out.push_back(static_cast<char>(message.size()));
  out.append(message.begin(), message.end());
}

}  // namespace ginnel::dns
