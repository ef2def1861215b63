#include "os/rtnetlink_parse.h"

#include <fmt/format.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <algorithm>

#include "os/netlink_attribute.h"

namespace ginnel::os {
namespace {

using hostnet::AssignedAddress;
using hostnet::Link;
using hostnet::Route;
using hostnet::RoutingRule;

template <class T>
const T& fixed_part(const nlmsghdr& message) {
  return *static_cast<const T*>(mnl_nlmsg_get_payload(&message));
}

std::optional<net::Family> family_of(int number) {
  if (number == AF_INET) return net::Family::V4;
  if (number == AF_INET6) return net::Family::V6;
  return std::nullopt;
}

std::optional<net::Address> read_address(net::Family family, ByteView payload) {
  if (payload.size() != net::bits_of(family) / 8) return std::nullopt;
  return net::Address::from_bytes(payload);
}

std::optional<net::Prefix> read_prefix(net::Family family, ByteView payload, unsigned length) {
  const auto address = read_address(family, payload);
  if (!address || length > address->bits()) return std::nullopt;
  return net::Prefix::masking(*address, length);
}

// An interface that appeared after the links were read still needs a name.
std::string name_of(std::uint32_t index, const std::vector<Link>& links) {
  const auto found = std::ranges::find(links, index, &Link::index);
  return found == links.end() ? fmt::format("if{}", index) : found->name;
}

hostnet::RouterPreference preference_from(std::uint8_t number) {
  switch (number) {
    case 1:
      return hostnet::RouterPreference::High;  // RFC 4191, section 2.1.
    case 3:
      return hostnet::RouterPreference::Low;
    default:
      return hostnet::RouterPreference::Medium;
  }
}

constexpr unsigned kDeadFlags = RTNH_F_DEAD | RTNH_F_LINKDOWN;

// The attributes that a route and each of its next hops may have.
void read_next_hop(net::Family family, int type, ByteView payload, const std::vector<Link>& links,
                   Route& route) {
  if (type == RTA_GATEWAY) {
    route.gateway = read_address(family, payload);
  } else if (type == RTA_VIA && payload.size() > sizeof(std::uint16_t)) {
    // A gateway of the other family: its number, then its address.
    const auto other = family_of(read_number<std::uint16_t>(payload).value_or(0));
    if (other) route.gateway = read_address(*other, payload.subspan(sizeof(std::uint16_t)));
  } else if (type == RTA_OIF) {
    route.interface = name_of(read_number<std::uint32_t>(payload).value_or(0), links);
  }
}

void append_next_hops(const Route& common, ByteView hops, const std::vector<Link>& links,
                      std::vector<Route>& routes) {
  while (hops.size() >= sizeof(rtnexthop)) {
    rtnexthop hop;
    std::memcpy(&hop, hops.data(), sizeof hop);
    if (hop.rtnh_len < sizeof hop || hop.rtnh_len > hops.size()) return;
    Route route = common;
    route.interface = name_of(static_cast<std::uint32_t>(hop.rtnh_ifindex), links);
    route.dead = (hop.rtnh_flags & kDeadFlags) != 0;
    for_each_attribute(hops.subspan(sizeof hop, hop.rtnh_len - sizeof hop),
                       [&](int type, ByteView payload) {
                         read_next_hop(route.destination.family(), type, payload, links, route);
                       });
    routes.push_back(std::move(route));
    hops = hops.subspan(std::min(hops.size(), static_cast<std::size_t>(RTNH_ALIGN(hop.rtnh_len))));
  }
}

}  // namespace

std::optional<Link> parse_link(const nlmsghdr& message) {
  const auto& fixed = fixed_part<ifinfomsg>(message);
  Link link{.index = static_cast<std::uint32_t>(fixed.ifi_index),
            .up = (fixed.ifi_flags & IFF_UP) != 0,
            .running = (fixed.ifi_flags & IFF_RUNNING) != 0,
            .loopback = (fixed.ifi_flags & IFF_LOOPBACK) != 0};
  for_each_attribute(attributes_behind(message, sizeof fixed), [&](int type, ByteView payload) {
    if (type == IFLA_IFNAME) link.name = read_text(payload);
    if (type == IFLA_MTU) link.mtu = read_number<std::uint32_t>(payload).value_or(0);
    if (type == IFLA_MASTER) link.master = read_number<std::uint32_t>(payload).value_or(0);
    if (type == IFLA_LINKINFO) {
      for_each_attribute(payload, [&](int inner, ByteView text) {
        if (inner == IFLA_INFO_KIND) link.kind = read_text(text);
      });
    }
  });
  if (link.name.empty()) return std::nullopt;
  return link;
}

std::uint32_t parse_tun_queues(const nlmsghdr& message) {
  std::uint32_t queues = 0;
  const auto read_data = [&](int type, ByteView payload) {
    if (type == IFLA_TUN_NUM_QUEUES || type == IFLA_TUN_NUM_DISABLED_QUEUES) {
      queues += read_number<std::uint32_t>(payload).value_or(0);
    }
  };
  for_each_attribute(attributes_behind(message, sizeof(ifinfomsg)), [&](int type, ByteView info) {
    if (type != IFLA_LINKINFO) return;
    std::string kind;
    ByteView data;
    for_each_attribute(info, [&](int inner, ByteView payload) {
      if (inner == IFLA_INFO_KIND) kind = read_text(payload);
      if (inner == IFLA_INFO_DATA) data = payload;
    });
    if (kind == "tun") for_each_attribute(data, read_data);
  });
  return queues;
}

std::optional<AssignedAddress> parse_address(const nlmsghdr& message,
                                             const std::vector<Link>& links) {
  const auto& fixed = fixed_part<ifaddrmsg>(message);
  const auto family = family_of(fixed.ifa_family);
  if (!family) return std::nullopt;
  std::optional<net::Address> local;
  std::optional<net::Address> address;
  std::uint32_t flags = fixed.ifa_flags;
  for_each_attribute(attributes_behind(message, sizeof fixed), [&](int type, ByteView payload) {
    if (type == IFA_LOCAL) local = read_address(*family, payload);
    if (type == IFA_ADDRESS) address = read_address(*family, payload);
    if (type == IFA_FLAGS) flags = read_number<std::uint32_t>(payload).value_or(flags);
  });
  // On a point-to-point link IFA_ADDRESS is the other end.
  if (!local) local = address;
  if (!local || fixed.ifa_prefixlen > local->bits()) return std::nullopt;
  constexpr unsigned kUnusable = IFA_F_TENTATIVE | IFA_F_DADFAILED | IFA_F_DEPRECATED;
  return AssignedAddress{.interface = name_of(fixed.ifa_index, links),
                         .address = {.address = *local, .length = fixed.ifa_prefixlen},
                         .scope = static_cast<hostnet::Scope>(fixed.ifa_scope),
                         .usable = (flags & kUnusable) == 0,
                         .temporary = *family == net::Family::V6 && (flags & IFA_F_TEMPORARY) != 0};
}

void parse_routes(const nlmsghdr& message, const std::vector<Link>& links,
                  std::vector<Route>& routes) {
  const auto& fixed = fixed_part<rtmsg>(message);
  const auto family = family_of(fixed.rtm_family);
  if (!family || (fixed.rtm_flags & RTM_F_CLONED)) return;
  Route route{.destination = net::Prefix::masking(net::Address::any(*family), 0),
              .table = fixed.rtm_table,
              .origin = static_cast<hostnet::RouteOrigin>(fixed.rtm_protocol),
              .type = static_cast<hostnet::RouteType>(fixed.rtm_type),
              .scope = static_cast<hostnet::Scope>(fixed.rtm_scope),
              .dead = (fixed.rtm_flags & kDeadFlags) != 0};
  bool readable = true;
  ByteView hops;
  const auto read = [&](int type, ByteView payload) {
    if (type == RTA_DST) {
      const auto prefix = read_prefix(*family, payload, fixed.rtm_dst_len);
      readable &= prefix.has_value();
      if (prefix) route.destination = *prefix;
    } else if (type == RTA_TABLE) {
      route.table = read_number<std::uint32_t>(payload).value_or(route.table);
    } else if (type == RTA_PRIORITY) {
      route.metric = read_number<std::uint32_t>(payload).value_or(0);
    } else if (type == RTA_PREFSRC) {
      route.source = read_address(*family, payload);
    } else if (type == RTA_PREF) {
      route.preference = preference_from(read_number<std::uint8_t>(payload).value_or(0));
    } else if (type == RTA_MULTIPATH) {
      hops = payload;
    } else if (type == RTA_METRICS) {
      for_each_attribute(payload, [&](int metric, ByteView number) {
        if (metric == RTAX_MTU) route.mtu = read_number<std::uint32_t>(number).value_or(0);
      });
    } else {
      read_next_hop(*family, type, payload, links, route);
    }
  };
  for_each_attribute(attributes_behind(message, sizeof fixed), read);
  if (!readable) return;
  if (hops.empty()) {
    routes.push_back(std::move(route));
  } else {
    append_next_hops(route, hops, links, routes);
  }
}

std::optional<RoutingRule> parse_rule(const nlmsghdr& message) {
  const auto& fixed = fixed_part<fib_rule_hdr>(message);
  const auto family = family_of(fixed.family);
  if (!family) return std::nullopt;
  RoutingRule rule{.family = *family,
                   .inverted = (fixed.flags & FIB_RULE_INVERT) != 0,
                   .action = static_cast<hostnet::RuleAction>(fixed.action),
                   .table = fixed.table,
                   .origin = hostnet::RouteOrigin::Unspecified};
  const auto read = [&](int type, ByteView payload) {
    const auto number = read_number<std::uint32_t>(payload);
    switch (type) {
      case FRA_PRIORITY:
        rule.priority = number.value_or(0);
        break;
      case FRA_SRC:
        rule.from = read_prefix(*family, payload, fixed.src_len);
        break;
      case FRA_DST:
        rule.to = read_prefix(*family, payload, fixed.dst_len);
        break;
      case FRA_IIFNAME:
        rule.in_interface = read_text(payload);
        break;
      case FRA_OIFNAME:
        rule.out_interface = read_text(payload);
        break;
      case FRA_FWMARK:
        rule.mark = number.value_or(0);
        break;
      case FRA_FWMASK:
        rule.mark_mask = number.value_or(0);
        break;
      case FRA_UID_RANGE:
        if (const auto range = read_number<fib_rule_uid_range>(payload)) {
          rule.users = {.first = range->start, .last = range->end};
        }
        break;
      case FRA_TABLE:
        rule.table = number.value_or(rule.table);
        break;
      case FRA_SUPPRESS_PREFIXLEN:
        if (number != 0xffffffff) rule.suppress_prefix_length = number;
        break;
      case FRA_PROTOCOL:
        rule.origin =
            static_cast<hostnet::RouteOrigin>(read_number<std::uint8_t>(payload).value_or(0));
        break;
      default:
        break;
    }
  };
  for_each_attribute(attributes_behind(message, sizeof fixed), read);
  return rule;
}

}  // namespace ginnel::os
