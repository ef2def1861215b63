#include "os/rtnetlink.h"

#include <errno.h>
#include <fmt/format.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sys/ioctl.h>

#include "os/netlink_attribute.h"
#include "os/netlink_request.h"
#include "os/os_error.h"
#include "os/rtnetlink_parse.h"

namespace ginnel::os {
namespace {

using hostnet::HostState;
using hostnet::Link;
using hostnet::Route;
using hostnet::RoutingRule;

constexpr std::size_t kMaxInterfaceName = IFNAMSIZ - 1;

Status check_interface_name(std::string_view name) {
  const bool fits = !name.empty() && name.size() <= kMaxInterfaceName && name != "." &&
                    name != ".." && name.find_first_of("/: \t\n") == std::string_view::npos;
  if (fits) return ok();
  return fail(ErrorCode::InvalidArgument,
              fmt::format("interface \"{}\": a name has 1 to {} characters, without '/', ':' and "
                          "spaces",
                          name, kMaxInterfaceName));
}

std::uint8_t number_of(net::Family family) {
  return family == net::Family::V4 ? AF_INET : AF_INET6;
}

constexpr std::uint16_t kCreateOnly = NLM_F_CREATE | NLM_F_EXCL;

}  // namespace

Result<Rtnetlink> Rtnetlink::open() {
  auto netlink = NetlinkSocket::open(NETLINK_ROUTE);
  if (!netlink) return pass(std::move(netlink));
  return Rtnetlink(std::move(*netlink));
}

template <class Parse>
Status Rtnetlink::read_list(std::uint16_t type, std::string_view what, std::size_t fixed_size,
                            const std::function<void()>& restart, Parse&& parse) {
  NetlinkRequest request(type);
  // A dump of everything asks with a zero family; the largest fixed part serves them all.
  (void)request.fixed<std::array<std::uint8_t, 16>>();
  return netlink_.dump(request.message(), what, restart, [&](const nlmsghdr& message) {
    if (mnl_nlmsg_get_payload_len(&message) >= fixed_size) parse(message);
  });
}

Result<std::vector<Link>> Rtnetlink::read_links() {
  std::vector<Link> links;
  const Status read = read_list(
      RTM_GETLINK, "list interfaces", sizeof(ifinfomsg), [&] { links.clear(); },
      [&](const nlmsghdr& message) {
        if (auto link = parse_link(message)) links.push_back(std::move(*link));
      });
  if (!read) return std::unexpected(read.error());
  return links;
}

Result<std::uint32_t> Rtnetlink::count_tun_queues(const std::string& interface) {
  std::uint32_t queues = 0;
  bool found = false;
  const Status read = read_list(
      RTM_GETLINK, "list interfaces", sizeof(ifinfomsg), [] {},
      [&](const nlmsghdr& message) {
        const auto link = parse_link(message);
        if (!link || link->name != interface) return;
        found = true;
        queues = parse_tun_queues(message);
      });
  if (!read) return std::unexpected(read.error());
  if (!found)
    return fail(ErrorCode::NotFound, fmt::format("interface {} does not exist", interface));
  return queues;
}

Status Rtnetlink::read_addresses(HostState& state) {
  return read_list(
      RTM_GETADDR, "list addresses", sizeof(ifaddrmsg), [&] { state.addresses.clear(); },
      [&](const nlmsghdr& message) {
        if (auto address = parse_address(message, state.links)) {
          state.addresses.push_back(std::move(*address));
        }
      });
}

Status Rtnetlink::read_routes(HostState& state) {
  return read_list(
      RTM_GETROUTE, "list routes", sizeof(rtmsg), [&] { state.routes.clear(); },
      [&](const nlmsghdr& message) { parse_routes(message, state.links, state.routes); });
}

Status Rtnetlink::read_rules(HostState& state) {
  return read_list(
      RTM_GETRULE, "list routing rules", sizeof(fib_rule_hdr), [&] { state.rules.clear(); },
      [&](const nlmsghdr& message) {
        if (auto rule = parse_rule(message)) state.rules.push_back(std::move(*rule));
      });
}

Result<HostState> Rtnetlink::read() {
  HostState state;
  auto links = read_links();
  if (!links) return pass(std::move(links));
  state.links = std::move(*links);
  if (Status read = read_addresses(state); !read) return pass(std::move(read));
  if (Status read = read_routes(state); !read) return pass(std::move(read));
  if (Status read = read_rules(state); !read) return pass(std::move(read));
  return state;
}

Result<std::uint32_t> Rtnetlink::path_mtu(const net::Address& destination, std::uint32_t mark) {
  NetlinkRequest request(RTM_GETROUTE);
  auto& fixed = request.fixed<rtmsg>();
  fixed.rtm_family = number_of(destination.family());
  fixed.rtm_dst_len = static_cast<std::uint8_t>(destination.bits());
  request.put(RTA_DST, destination.bytes());
  if (mark != 0) request.put_number(RTA_MARK, mark);
  std::uint32_t mtu = 0;
  std::uint32_t index = 0;
  const auto read = [&](const nlmsghdr& message) {
    for_each_attribute(attributes_behind(message, sizeof(rtmsg)), [&](int type, ByteView payload) {
      if (type == RTA_OIF) index = read_number<std::uint32_t>(payload).value_or(0);
      if (type != RTA_METRICS) return;
      for_each_attribute(payload, [&](int metric, ByteView number) {
        if (metric == RTAX_MTU) mtu = read_number<std::uint32_t>(number).value_or(0);
      });
    });
  };
  Status asked = netlink_.query(request.message(),
                                fmt::format("find the way to {}", destination.to_string()), read);
  if (!asked) return pass(std::move(asked));
  if (mtu != 0) return mtu;
  const auto links = read_links();
  if (!links) return std::unexpected(links.error());
  const auto link = std::ranges::find(*links, index, &Link::index);
  if (link != links->end()) return link->mtu;
  return fail(ErrorCode::NotFound,
              fmt::format("find the way to {}: there is none", destination.to_string()));
}

Result<std::uint32_t> Rtnetlink::index_of(const std::string& interface) {
  if (Status checked = check_interface_name(interface); !checked) return pass(std::move(checked));
  // Not if_nametoindex(): it opens a socket, and when it cannot, says that there is no interface.
  ifreq request{};
  std::copy(interface.begin(), interface.end(), request.ifr_name);
  if (::ioctl(netlink_.fd(), SIOCGIFINDEX, &request) != 0) {
    if (errno != ENODEV) return os_fail(fmt::format("look up interface {}", interface), errno);
    return fail(ErrorCode::NotFound, fmt::format("interface {} does not exist", interface));
  }
  return static_cast<std::uint32_t>(request.ifr_ifindex);
}

Status Rtnetlink::create_link(const std::string& name, const std::string& kind) {
  if (Status checked = check_interface_name(name); !checked) return checked;
  NetlinkRequest request(RTM_NEWLINK, kCreateOnly);
  (void)request.fixed<ifinfomsg>();
  request.put_text(IFLA_IFNAME, name);
  request.put_nested(IFLA_LINKINFO, [&] { request.put_text(IFLA_INFO_KIND, kind); });
  return netlink_.request(request.message(), fmt::format("create interface {}", name));
}

Status Rtnetlink::create_pair(const std::string& name, const std::string& far_name,
                              int far_namespace, std::uint32_t index) {
  for (const std::string& each : {name, far_name}) {
    if (Status checked = check_interface_name(each); !checked) return checked;
  }
  NetlinkRequest request(RTM_NEWLINK, kCreateOnly);
  request.fixed<ifinfomsg>().ifi_index = static_cast<int>(index);
  request.put_text(IFLA_IFNAME, name);
  request.put_nested(IFLA_LINKINFO, [&] {
    request.put_text(IFLA_INFO_KIND, "veth");
    request.put_nested(IFLA_INFO_DATA, [&] {
      request.put_nested(VETH_INFO_PEER, [&] {
        (void)request.fixed<ifinfomsg>();
        request.put_text(IFLA_IFNAME, far_name);
        request.put_number(IFLA_NET_NS_FD, static_cast<std::uint32_t>(far_namespace));
      });
    });
  });
  return netlink_.request(request.message(),
                          fmt::format("create interfaces {} and {}", name, far_name));
}

Status Rtnetlink::set_master(const std::string& name, const std::string& bridge) {
  auto index = index_of(name);
  if (!index) return pass(std::move(index));
  auto master = index_of(bridge);
  if (!master) return pass(std::move(master));
  NetlinkRequest request(RTM_NEWLINK);
  request.fixed<ifinfomsg>().ifi_index = static_cast<int>(*index);
  request.put_number(IFLA_MASTER, *master);
  return netlink_.request(request.message(), fmt::format("make {} a port of {}", name, bridge));
}

Status Rtnetlink::delete_link(const std::string& name) {
  auto index = index_of(name);
  if (!index) return pass(std::move(index));
  NetlinkRequest request(RTM_DELLINK);
  request.fixed<ifinfomsg>().ifi_index = static_cast<int>(*index);
  return netlink_.request(request.message(), fmt::format("delete interface {}", name));
}

Status Rtnetlink::rename_link(const std::string& name, const std::string& to) {
  if (Status checked = check_interface_name(to); !checked) return checked;
  auto index = index_of(name);
  if (!index) return pass(std::move(index));
  NetlinkRequest request(RTM_NEWLINK);
  request.fixed<ifinfomsg>().ifi_index = static_cast<int>(*index);
  request.put_text(IFLA_IFNAME, to);
  return netlink_.request(request.message(), fmt::format("rename interface {} to {}", name, to));
}

Status Rtnetlink::set_link(const std::string& interface, unsigned flags, unsigned mask,
                           std::uint32_t mtu, std::string_view what) {
  auto index = index_of(interface);
  if (!index) return pass(std::move(index));
  NetlinkRequest request(RTM_NEWLINK);
  auto& link = request.fixed<ifinfomsg>();
  link.ifi_index = static_cast<int>(*index);
  link.ifi_flags = flags;
  link.ifi_change = mask;
  if (mtu != 0) request.put_number(IFLA_MTU, mtu);
  return netlink_.request(request.message(), what);
}

Status Rtnetlink::change_address(std::uint16_t type, const std::string& interface,
                                 const net::InterfaceAddress& address, std::string_view what) {
  auto index = index_of(interface);
  if (!index) return pass(std::move(index));
  NetlinkRequest request(type, type == RTM_NEWADDR ? kCreateOnly : std::uint16_t{0});
  auto& fixed = request.fixed<ifaddrmsg>();
  fixed.ifa_family = number_of(address.address.family());
  fixed.ifa_prefixlen = static_cast<std::uint8_t>(address.length);
  fixed.ifa_index = *index;
  const bool is_loopback = address.address.is_v4() && address.address.bytes()[0] == 127;
  if (is_loopback) fixed.ifa_scope = static_cast<std::uint8_t>(hostnet::Scope::Host);
  request.put(IFA_LOCAL, address.address.bytes());
  request.put(IFA_ADDRESS, address.address.bytes());
  return netlink_.request(request.message(), what);
}

Status Rtnetlink::change_route(std::uint16_t type, const Route& route, std::string_view what) {
  NetlinkRequest request(type, type == RTM_NEWROUTE ? kCreateOnly : std::uint16_t{0});
  auto& fixed = request.fixed<rtmsg>();
  fixed.rtm_family = number_of(route.destination.family());
  fixed.rtm_dst_len = static_cast<std::uint8_t>(route.destination.length());
  fixed.rtm_protocol = static_cast<std::uint8_t>(route.origin);
  fixed.rtm_type = static_cast<std::uint8_t>(route.type);
  // An IPv4 route without a gateway reaches no further than the link; IPv6 has no such scope.
  const bool on_link = route.destination.family() == net::Family::V4 && !route.gateway &&
                       route.type == hostnet::RouteType::Unicast;
  fixed.rtm_scope = static_cast<std::uint8_t>(on_link ? hostnet::Scope::Link : route.scope);
  fixed.rtm_table = RT_TABLE_UNSPEC;
  request.put_number(RTA_TABLE, route.table);
  if (!route.is_default()) request.put(RTA_DST, route.destination.address().bytes());
  if (route.gateway) request.put(RTA_GATEWAY, route.gateway->bytes());
  if (route.metric != 0) request.put_number(RTA_PRIORITY, route.metric);
  if (route.source) request.put(RTA_PREFSRC, route.source->bytes());
  if (route.mtu != 0) {
    request.put_nested(RTA_METRICS, [&] { request.put_number(RTAX_MTU, route.mtu); });
  }
  if (!route.interface.empty()) {
    auto index = index_of(route.interface);
    if (!index) return pass(std::move(index));
    request.put_number(RTA_OIF, *index);
  }
  return netlink_.request(request.message(), what);
}

Status Rtnetlink::change_rule(std::uint16_t type, const RoutingRule& rule, std::string_view what) {
  NetlinkRequest request(type, type == RTM_NEWRULE ? kCreateOnly : std::uint16_t{0});
  auto& fixed = request.fixed<fib_rule_hdr>();
  fixed.family = number_of(rule.family);
  fixed.action = static_cast<std::uint8_t>(rule.action);
  if (rule.inverted) fixed.flags |= FIB_RULE_INVERT;
  request.put_number(FRA_PRIORITY, rule.priority);
  if (rule.from) {
    fixed.src_len = static_cast<std::uint8_t>(rule.from->length());
    request.put(FRA_SRC, rule.from->address().bytes());
  }
  if (rule.to) {
    fixed.dst_len = static_cast<std::uint8_t>(rule.to->length());
    request.put(FRA_DST, rule.to->address().bytes());
  }
  for (const std::string* name : {&rule.in_interface, &rule.out_interface}) {
    if (name->size() > kMaxInterfaceName) return check_interface_name(*name);
  }
  if (!rule.in_interface.empty()) request.put_text(FRA_IIFNAME, rule.in_interface);
  if (!rule.out_interface.empty()) request.put_text(FRA_OIFNAME, rule.out_interface);
  if (rule.mark_mask != 0) {
    request.put_number(FRA_FWMARK, rule.mark);
    request.put_number(FRA_FWMASK, rule.mark_mask);
  }
  if (rule.users) {
    const fib_rule_uid_range range{.start = rule.users->first, .end = rule.users->last};
    request.put(FRA_UID_RANGE,
                ByteView(reinterpret_cast<const std::uint8_t*>(&range), sizeof range));
  }
  if (rule.action == hostnet::RuleAction::Lookup) request.put_number(FRA_TABLE, rule.table);
  if (rule.suppress_prefix_length) {
    request.put_number(FRA_SUPPRESS_PREFIXLEN, *rule.suppress_prefix_length);
  }
  const auto origin = static_cast<std::uint8_t>(rule.origin);
  request.put(FRA_PROTOCOL, {&origin, 1});
  return netlink_.request(request.message(), what);
}

struct Rtnetlink::Apply {
  Rtnetlink& self;
  std::string what;

  Status operator()(const hostnet::SetLinkUp& o) const {
    return self.set_link(o.interface, o.up ? IFF_UP : 0, IFF_UP, 0, what);
  }
  Status operator()(const hostnet::SetMtu& o) const {
    return self.set_link(o.interface, 0, 0, o.mtu, what);
  }
  Status operator()(const hostnet::AddAddress& o) const {
    return self.change_address(RTM_NEWADDR, o.interface, o.address, what);
  }
  Status operator()(const hostnet::RemoveAddress& o) const {
    return self.change_address(RTM_DELADDR, o.interface, o.address, what);
  }
  Status operator()(const hostnet::AddRoute& o) const {
    return self.change_route(RTM_NEWROUTE, o.route, what);
  }
  Status operator()(const hostnet::RemoveRoute& o) const {
    return self.change_route(RTM_DELROUTE, o.route, what);
  }
  Status operator()(const hostnet::AddRule& o) const {
    return self.change_rule(RTM_NEWRULE, o.rule, what);
  }
  Status operator()(const hostnet::RemoveRule& o) const {
    return self.change_rule(RTM_DELRULE, o.rule, what);
  }
};

Status Rtnetlink::apply(const hostnet::Operation& operation) {
  return std::visit(Apply{*this, hostnet::describe(operation)}, operation);
}

}  // namespace ginnel::os
