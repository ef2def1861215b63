// The kernel's answers about links, addresses, routes and rules. The kernel is trusted to be right,
// but whatever its lengths say, nothing outside the datagram is read, and values are in range.
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include "base/check.h"
#include "os/netlink_attribute.h"
#include "os/rtnetlink_parse.h"

namespace ginnel::os {
namespace {

struct Host {
  hostnet::HostState state;

  void read(const nlmsghdr& message) {
    const std::size_t size = mnl_nlmsg_get_payload_len(&message);
    switch (message.nlmsg_type) {
      case RTM_NEWLINK:
        if (size >= sizeof(ifinfomsg)) read_link(message);
        break;
      case RTM_NEWADDR:
        if (size >= sizeof(ifaddrmsg)) read_address(message);
        break;
      case RTM_NEWROUTE:
        if (size >= sizeof(rtmsg)) parse_routes(message, state.links, state.routes);
        break;
      case RTM_NEWRULE:
        if (size >= sizeof(fib_rule_hdr)) read_rule(message);
        break;
      default:
        break;
    }
  }
  void read_link(const nlmsghdr& message) {
    if (auto link = parse_link(message)) {
      CHECK(!link->name.empty());
      state.links.push_back(std::move(*link));
    }
  }
  void read_address(const nlmsghdr& message) {
    if (const auto address = parse_address(message, state.links)) {
      CHECK(!address->interface.empty());
      CHECK(address->address.length <= address->address.address.bits());
    }
  }
  void read_rule(const nlmsghdr& message) {
    const auto rule = parse_rule(message);
    if (!rule) return;
    if (rule->from) CHECK(rule->from->family() == rule->family);
    if (rule->to) CHECK(rule->to->family() == rule->family);
    CHECK(!rule->to_string().empty());
  }
};

// A fuzzer's input is a block of memory of its own: as aligned as a receive buffer, and no byte may
// be read behind it.
void read(ByteView datagram) {
  Host host;
  for_each_message(datagram, [&](const nlmsghdr& message) { host.read(message); });
  CHECK(host.state.routes.size() <= datagram.size());
  for (const hostnet::Route& route : host.state.routes) {
    if (route.source) CHECK(route.source->family() == route.destination.family());
    CHECK(!route.to_string().empty());
  }
}

}  // namespace
}  // namespace ginnel::os

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ginnel::os::read({data, size});
  return 0;
}
