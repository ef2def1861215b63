#!/usr/bin/env bash
# A tunnel whose MTU is too large for the way there stays usable: its datagrams travel in fragments,
# and GSO, which cannot fragment, steps aside. The narrow link may be one's own or behind a router.
#
#   left ──── (1300) right        and        left ──── router ──── (1300) right
source "$(dirname "$0")/dev_lib.sh"
two_ends
namespace router
link left 192.0.3.1/24,2001:db8:3::1/64 router 192.0.3.254/24,2001:db8:3::ff/64
link router 192.0.4.254/24,2001:db8:4::ff/64 right 192.0.4.2/24,2001:db8:4::2/64
in_ns router sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
ip -n left route add 192.0.4.0/24 via 192.0.3.254
ip -n left route add 2001:db8:4::/64 via 2001:db8:3::ff
ip -n right route add 192.0.3.0/24 via 192.0.4.254
ip -n right route add 2001:db8:3::/64 via 2001:db8:4::ff
narrow() { ip -n "$1" link set "to-$2" mtu 1300 && ip -n "$2" link set "to-$1" mtu 1300; }
narrow left right
narrow router right
start right
start left
serve right

for endpoint in 192.0.2.2 '[2001:db8::2]' 192.0.4.2 '[2001:db8:4::2]'; do
  step "to $endpoint"
  in_ns left wg set wg-left peer "${public[right]}" endpoint "$endpoint:51822"
  # Where path MTU discovery has something to discover, the first datagrams are its price.
  echoes left udp 10.9.0.2 1372 1372 1372
  echoes left tcp 10.9.0.2 5000000
  echoes left tcp fd09::2 5000000
  echoes left burst fd09::2 1300 100
done
