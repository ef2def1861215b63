// Walking netlink messages and their attributes. The kernel is trusted to be right, but not a
// pointer further than its lengths say.
#pragma once

#include <libmnl/libmnl.h>

#include <cstring>
#include <optional>
#include <string>

#include "base/bytes.h"

namespace ginnel::os {

// Calls `each` for every whole message in a datagram. REQUIRES: aligned to four bytes.
template <class Each>
void for_each_message(ByteView datagram, Each&& each) {
  int left = static_cast<int>(datagram.size());
  const auto* header = reinterpret_cast<const nlmsghdr*>(datagram.data());
  // libmnl takes a length beyond two gigabytes for a negative one, which would fit.
  while (mnl_nlmsg_ok(header, left) && header->nlmsg_len <= static_cast<unsigned>(left)) {
    each(*header);
    header = mnl_nlmsg_next(header, &left);
  }
}

// Calls `each(type, payload)` for every attribute in `bytes`.
template <class Each>
void for_each_attribute(ByteView bytes, Each&& each) {
  const auto* attribute = reinterpret_cast<const nlattr*>(bytes.data());
  int left = static_cast<int>(bytes.size());
  while (mnl_attr_ok(attribute, left)) {
    const ByteView payload(static_cast<const std::uint8_t*>(mnl_attr_get_payload(attribute)),
                           mnl_attr_get_payload_len(attribute));
    each(static_cast<int>(mnl_attr_get_type(attribute)), payload);
    left -= static_cast<int>(MNL_ALIGN(attribute->nla_len));
    attribute = mnl_attr_next(attribute);
  }
}

// What follows the fixed part of a message, of `fixed` bytes; empty when there is less.
inline ByteView attributes_behind(const nlmsghdr& header, std::size_t fixed) {
  const std::size_t size = mnl_nlmsg_get_payload_len(&header);
  const std::size_t skip = MNL_ALIGN(fixed);
  if (size <= skip) return {};
  return ByteView(static_cast<const std::uint8_t*>(mnl_nlmsg_get_payload(&header)), size)
      .subspan(skip);
}

// An integer in host order; nothing when the attribute is too short.
template <class T>
std::optional<T> read_number(ByteView payload) {
  if (payload.size() < sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, payload.data(), sizeof value);
  return value;
}

// Text up to its terminating zero, if it has one.
inline std::string read_text(ByteView payload) {
  const auto* text = reinterpret_cast<const char*>(payload.data());
  return {text, ::strnlen(text, payload.size())};
}

}  // namespace ginnel::os
