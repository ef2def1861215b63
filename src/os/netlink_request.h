// One netlink request, built attribute by attribute. Bounded: what does not fit is our own bug,
// because every text in it has been checked by then.
#pragma once

#include <libmnl/libmnl.h>

#include <array>
#include <string_view>

#include "base/bytes.h"
#include "base/check.h"

namespace ginnel::os {

class NetlinkRequest {
 public:
  static constexpr std::size_t kMaxSize = 4096;

  explicit NetlinkRequest(std::uint16_t type, std::uint16_t flags = 0)
      : header_(mnl_nlmsg_put_header(buffer_.data())) {
    header_->nlmsg_type = type;
    header_->nlmsg_flags = flags;
  }
  NetlinkRequest(const NetlinkRequest&) = delete;
  NetlinkRequest& operator=(const NetlinkRequest&) = delete;

  // The fixed part of the message. Comes first, once.
  template <class T>
  T& fixed() {
    return *static_cast<T*>(mnl_nlmsg_put_extra_header(header_, sizeof(T)));
  }

  void put(std::uint16_t type, ByteView bytes) {
    CHECK(mnl_attr_put_check(header_, kMaxSize, type, bytes.size(), bytes.data()));
  }
  void put_number(std::uint16_t type, std::uint32_t number) {
    CHECK(mnl_attr_put_u32_check(header_, kMaxSize, type, number));
  }
  // Text without the terminating zero, which the kernel does not need.
  void put_text(std::uint16_t type, std::string_view text) {
    CHECK(mnl_attr_put_check(header_, kMaxSize, type, text.size(), text.data()));
  }
  template <class Fill>
  void put_nested(std::uint16_t type, Fill&& fill) {
    nlattr* nest = mnl_attr_nest_start_check(header_, kMaxSize, type);
    CHECK(nest != nullptr);
    fill();
    mnl_attr_nest_end(header_, nest);
  }

  nlmsghdr& message() { return *header_; }

 private:
  alignas(8) std::array<std::uint8_t, kMaxSize> buffer_{};
  nlmsghdr* header_;
};

}  // namespace ginnel::os
