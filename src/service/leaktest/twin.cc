#include "service/leaktest/twin.h"

#include <fmt/format.h>

#include <thread>

#include "os/clock.h"

namespace ginnel::leaktest {
namespace {

using leaks::kFamilies;
using leaks::Role;
using leaks::TwinLink;

// Interfaces are ready a moment after they were made.
constexpr Duration kPatience = 3s;
constexpr Duration kRetryInterval = 10ms;

Status on_a_thread(const std::function<Status()>& work) {
  Status result = ok();
  std::jthread([&] { result = work(); }).join();
  return result;
}

Status inside(const os::NetworkNamespace& space, const std::function<Status()>& work) {
  return on_a_thread([&] {
    if (Status entered = space.enter(); !entered) return entered;
    return work();
  });
}

Result<os::NetworkNamespace> make_space() {
  std::optional<os::NetworkNamespace> made;
  const Status done = on_a_thread([&]() -> Status {
    auto space = os::NetworkNamespace::enter_new();
    if (!space) return pass(std::move(space));
    made = std::move(*space);
    return ok();
  });
  if (!done) return std::unexpected(done.error());
  return std::move(*made);
}

Status keep_trying(const std::function<Status()>& work) {
  const os::Clock clock;
  const MonoTime deadline = clock.mono() + kPatience;
  for (;; std::this_thread::sleep_for(kRetryInterval)) {
    Status done = work();
    const bool is_there = !done && done.error().code == ErrorCode::AlreadyExists;
    if (done || is_there) return ok();
    if (clock.mono() > deadline) return done;
  }
}

Status add_address(os::Rtnetlink& netlink, const std::string& interface,
                   const net::InterfaceAddress& address) {
  return keep_trying([&] {
    return netlink.apply(hostnet::AddAddress{.interface = interface, .address = address});
  });
}
Status add_route(os::Rtnetlink& netlink, const hostnet::Route& route) {
  return keep_trying([&] { return netlink.apply(hostnet::AddRoute{.route = route}); });
}
Status take_up(os::Rtnetlink& netlink, const std::string& interface) {
  return netlink.apply(hostnet::SetLinkUp{.interface = interface});
}

// An IPv6 address can be bound to a moment after it was added. Where that never comes, the control
// says what of it matters.
void await_addresses(os::Rtnetlink& netlink) {
  const os::Clock clock;
  const MonoTime deadline = clock.mono() + kPatience;
  for (; clock.mono() < deadline; std::this_thread::sleep_for(kRetryInterval)) {
    const auto state = netlink.read();
    if (!state) return;
    if (std::ranges::all_of(state->addresses, &hostnet::AssignedAddress::usable)) return;
  }
}

}  // namespace

// Forwarding, which a container engine or another program could switch on at any moment. And no
// error that quotes a packet is held back because there were many: it could be the one that shows
// something. A limit of nothing is no way to say so in IPv4, where each error would then take away
// what others to the same address are allowed by.
Status Twin::prepare_space(bool is_host) const {
  const os::SysctlTree tree;
  const hostnet::Sysctl settings[] = {
      {.path = "net/ipv4/conf/all/rp_filter", .value = "0"},
      {.path = "net/ipv4/conf/default/rp_filter", .value = "0"},
      {.path = "net/ipv4/conf/all/arp_ignore", .value = "0"},
      {.path = "net/ipv4/icmp_ratemask", .value = "0"},
      {.path = "net/ipv4/icmp_echo_ignore_all", .value = "0"},
      {.path = "net/ipv4/ip_forward", .value = is_host ? "1" : "0"},
  };
  const hostnet::Sysctl settings6[] = {
      {.path = "net/ipv6/conf/all/disable_ipv6", .value = "0"},
      {.path = "net/ipv6/conf/default/disable_ipv6", .value = "0"},
      {.path = "net/ipv6/conf/all/accept_dad", .value = "0"},
      {.path = "net/ipv6/conf/default/accept_dad", .value = "0"},
      {.path = "net/ipv6/conf/default/accept_ra", .value = "0"},
      {.path = "net/ipv6/icmp/ratelimit", .value = "0"},
      {.path = "net/ipv6/icmp/ratemask", .value = "127"},  // A type that nobody uses.
      {.path = "net/ipv6/conf/all/forwarding", .value = is_host ? "1" : "0"},
  };
  for (const hostnet::Sysctl& setting : settings) {
    if (Status set = tree.write(setting.path, setting.value); !set) return set;
  }
  for (const hostnet::Sysctl& setting : settings6) {
    if (!has_ipv6_) break;
    if (Status set = tree.write(setting.path, setting.value); !set) return set;
  }
  auto netlink = os::Rtnetlink::open();
  if (!netlink) return pass(std::move(netlink));
  return take_up(*netlink, "lo");
}

Status Twin::make_spaces() {
  if (Status prepared = prepare_space(true); !prepared) return prepared;
  for (std::optional<os::NetworkNamespace>* space : {&internet_, &members_}) {
    auto made = make_space();
    if (!made) return pass(std::move(made));
    *space = std::move(*made);
    const Status prepared = inside(**space, [&] { return prepare_space(false); });
    if (!prepared) return prepared;
  }
  return ok();
}

Status Twin::make_link(const TwinLink& link) {
  Status made = ok();
  if (link.is_bridge) {
    made = rtnetlink_.create_link(link.name, "bridge");
  } else {
    const int far = link.role == Role::Uplink ? internet_->fd() : members_->fd();
    made = rtnetlink_.create_pair(link.name, link.far, far, link.index);
    // The number may be another's here. It is only for the marks of management connections.
    if (!made) made = rtnetlink_.create_pair(link.name, link.far, far);
  }
  if (!made) return made;
  if (!link.master.empty()) made = rtnetlink_.set_master(link.name, link.master);
  if (made && link.mtu != 0) {
    made = rtnetlink_.apply(hostnet::SetMtu{.interface = link.name, .mtu = link.mtu});
  }
  if (made) made = take_up(rtnetlink_, link.name);
  for (const net::InterfaceAddress& address : link.addresses) {
    if (!made) return made;
    if (address.address.is_v4() || has_ipv6_) made = add_address(rtnetlink_, link.name, address);
  }
  return made;
}

// In its namespace.
Status Twin::start_far_end(const TwinLink& link) {
  auto netlink = os::Rtnetlink::open();
  if (!netlink) return pass(std::move(netlink));
  if (link.mtu != 0) {
    Status fits = netlink->apply(hostnet::SetMtu{.interface = link.far, .mtu = link.mtu});
    if (!fits) return fits;
  }
  if (Status up = take_up(*netlink, link.far); !up) return up;
  for (const net::InterfaceAddress& address : link.far_addresses) {
    if (!address.address.is_v4() && !has_ipv6_) continue;
    if (Status added = add_address(*netlink, link.far, address); !added) return added;
  }
  return ok();
}

Status Twin::start_internet() {
  auto netlink = os::Rtnetlink::open();
  if (!netlink) return pass(std::move(netlink));
  for (const TwinLink& link : plan_.links) {
    if (link.role != Role::Uplink || link.is_bridge) continue;
    if (Status started = start_far_end(link); !started) return started;
  }
  for (const net::Address& host : plan_.far_hosts) {
    if (!host.is_v4() && !has_ipv6_) continue;
    Status added = add_address(*netlink, "lo", {host, host.bits()});
    if (!added) return added;
  }
  for (const hostnet::Route& route : plan_.far_routes) {
    if (route.destination.family() == net::Family::V6 && !has_ipv6_) continue;
    if (Status added = add_route(*netlink, route); !added) return added;
  }
  await_addresses(*netlink);
  return ok();
}

// The first of them uses the host as its router.
Status Twin::start_members() {
  auto netlink = os::Rtnetlink::open();
  if (!netlink) return pass(std::move(netlink));
  for (const TwinLink& link : plan_.links) {
    if (link.role == Role::Uplink || link.is_bridge) continue;
    if (Status started = start_far_end(link); !started) return started;
  }
  for (net::Family family : kFamilies) {
    for (const leaks::TwinMember& member : plan_.members) {
      const auto& ends = member.ends[family];
      if (!ends || ends->host.is_unspecified()) continue;
      if (family == net::Family::V6 && !has_ipv6_) continue;
      Status added =
          add_route(*netlink, {.destination = net::Prefix::masking(net::Address::any(family), 0),
                               .gateway = ends->host,
                               .interface = cable_of(member.port).far});
      if (!added) return added;
      break;
    }
  }
  await_addresses(*netlink);
  return ok();
}

Status Twin::add_routes() {
  for (const hostnet::Route& route : plan_.routes) {
    if (route.destination.family() == net::Family::V6 && !has_ipv6_) continue;
    if (Status added = add_route(rtnetlink_, route); !added) return added;
  }
  await_addresses(rtnetlink_);
  return ok();
}

Status Twin::restore(const std::string& interface) {
  const auto link = std::ranges::find(plan_.links, interface, &TwinLink::name);
  for (const net::InterfaceAddress& address : link->addresses) {
    if (!address.address.is_v4() && !has_ipv6_) continue;
    if (Status added = add_address(rtnetlink_, interface, address); !added) return added;
  }
  return add_routes();
}

Status Twin::open_captures() {
  for (const TwinLink& link : plan_.links) {
    if (link.role != Role::Uplink || link.is_bridge) continue;
    auto capture = os::CaptureSocket::open(link.far);
    if (!capture) return pass(std::move(capture));
    captures_.push_back(std::move(*capture));
  }
  return ok();
}

const TwinLink& Twin::cable_of(const std::string& interface) const {
  const auto link = std::ranges::find(plan_.links, interface, &TwinLink::name);
  if (!link->is_bridge) return *link;
  return *std::ranges::find(plan_.links, interface, &TwinLink::master);
}

Status Twin::in_internet(const std::function<Status()>& work) const {
  return inside(*internet_, work);
}
Status Twin::among_members(const std::function<Status()>& work) const {
  return inside(*members_, work);
}

Result<std::unique_ptr<Twin>> Twin::build(leaks::TwinPlan plan) {
  auto netlink = os::Rtnetlink::open();
  if (!netlink) return pass(std::move(netlink));
  auto twin = std::make_unique<Twin>(Key{}, std::move(plan), std::move(*netlink));
  twin->has_ipv6_ = os::SysctlTree().read("net/ipv6/conf/all/forwarding").has_value();
  if (Status made = twin->make_spaces(); !made) return pass(std::move(made));
  for (const TwinLink& link : twin->plan_.links) {
    if (Status made = twin->make_link(link); !made) return pass(std::move(made));
  }
  Status done = twin->in_internet([&] { return twin->start_internet(); });
  if (done) done = twin->among_members([&] { return twin->start_members(); });
  if (done) done = twin->add_routes();
  if (done) done = twin->in_internet([&] { return twin->open_captures(); });
  if (!done) return pass(std::move(done));
  return twin;
}

}  // namespace ginnel::leaktest
