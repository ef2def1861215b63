// Links, addresses, routes and policy rules, read and changed over rtnetlink.
#pragma once

#include <string>

#include "core/hostnet/host_state.h"
#include "core/hostnet/plan.h"
#include "os/netlink_socket.h"

namespace ginnel::os {

class Rtnetlink {
 public:
  static Result<Rtnetlink> open();

  // All of it. A route with several next hops appears once for each. What changes while it is read
  // is read again, so that each of the four lists was true at some moment.
  Result<hostnet::HostState> read();
  Result<std::vector<hostnet::Link>> read_links();
  // How many queues of a TUN interface programs hold; 0 for every other link, and for one whose
  // only queue may be held: the kernel tells of multi-queue interfaces alone.
  Result<std::uint32_t> count_tun_queues(const std::string& interface);

  // The MTU of the way that a packet with this mark would take: the route's own, or its
  // interface's. Fails with Unavailable or NotFound when there is no way.
  Result<std::uint32_t> path_mtu(const net::Address& destination, std::uint32_t mark);

  Status apply(const hostnet::Operation& operation);

  // `kind` as ip(8) names it: "wireguard", "dummy", "bridge".
  Status create_link(const std::string& name, const std::string& kind);
  // A veth pair: `name` here, `far_name` in the network namespace behind the descriptor. An index
  // of 0 is the kernel's choice.
  Status create_pair(const std::string& name, const std::string& far_name, int far_namespace,
                     std::uint32_t index = 0);
  // Makes an interface a port of a bridge.
  Status set_master(const std::string& name, const std::string& bridge);
  Status delete_link(const std::string& name);
  // The link must be down.
  Status rename_link(const std::string& name, const std::string& to);

 private:
  explicit Rtnetlink(NetlinkSocket netlink) : netlink_(std::move(netlink)) {}

  Status read_addresses(hostnet::HostState& state);
  Status read_routes(hostnet::HostState& state);
  Status read_rules(hostnet::HostState& state);
  template <class Parse>
  Status read_list(std::uint16_t type, std::string_view what, std::size_t fixed_size,
                   const std::function<void()>& restart, Parse&& parse);
  Result<std::uint32_t> index_of(const std::string& interface);

  Status set_link(const std::string& interface, unsigned flags, unsigned mask, std::uint32_t mtu,
                  std::string_view what);
  Status change_address(std::uint16_t type, const std::string& interface,
                        const net::InterfaceAddress& address, std::string_view what);
  Status change_route(std::uint16_t type, const hostnet::Route& route, std::string_view what);
  Status change_rule(std::uint16_t type, const hostnet::RoutingRule& rule, std::string_view what);
  struct Apply;

  NetlinkSocket netlink_;
};

}  // namespace ginnel::os
