#!/usr/bin/env bash
# A tunnel without IPv6: what members and the gateway send over IPv6 is refused at once, and nothing
# of it leaves, neither in clear nor into the tunnel. The same with --block-ipv6 on one that has it.
source "$(dirname "$0")/gateway_lib.sh"
gateway_topology
two_providers
in_ns gw sysctl -qw net.ipv6.conf.all.forwarding=1
eventually reaches_by router member 2001:db8:203::1
in_ns gw sysctl -qw net.ipv6.conf.all.forwarding=0

# By ping: what refuses a TCP connection before its first packet has left the socket is not heard.
refused_at_once() {
  in_ns "$1" ping -6 -c 1 -W 5 2001:db8:203::1 >"$dir/ping" 2>&1 || true
  grep -Eqi 'prohibited|permission denied|not permitted' "$dir/ping" || fail "$1: $(<"$dir/ping")"
}

step "a tunnel of IPv4"
start_gateway se --lan to-member
watch_wire
capture tunnel se peer-se ip6 host 2001:db8:203::1
eventually reaches_by se member 203.0.113.1
refused_at_once member
refused_at_once gw
reaches member fd10::2
(($(count tunnel) == 0)) || fail "IPv6 went into the tunnel"
no_leaks
stop "$gateway"

step "a tunnel of both, and a gateway that is told to block"
start_gateway nl --lan to-member --block-ipv6
capture both nl peer-nl ip6 host 2001:db8:203::1
eventually reaches_by nl member 203.0.113.1
refused_at_once member
refused_at_once gw
(($(count both) == 0)) || fail "IPv6 went into the tunnel"
no_leaks
