#!/usr/bin/env bash
# Behind `ginnel gateway`, LAN members and the gateway itself reach the internet through the tunnel
# only, from the tunnel's address; the LAN's own subnet stays reachable, and no rule leads to the
# endpoint. Seed 004's table, mark and priorities.
source "$(dirname "$0")/gateway_lib.sh"

step "in clear at first: the wiring works, and a leak would be seen"
gateway_topology
two_providers
in_ns gw sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
eventually reaches_by router member 203.0.113.1
eventually reaches_by router member 2001:db8:203::1
in_ns gw sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0
watch_wire control
reaches_by router gw 203.0.113.1
eventually leaks_are_seen control

step "through the tunnel, both families, members and the gateway"
run_daemon gateway gw "$GINNEL" gateway nl --lan to-member
eventually grep -q 'connected tunnel=nl' "$dir/gateway.log"
watch_wire
capture provider nl peer-nl
for from in member gw; do
  eventually reaches_by nl "$from" 203.0.113.1
  eventually reaches_by nl "$from" 2001:db8:203::1
done
eventually captured provider 'src host 10.2.0.2'
(($(count provider 'src net 10.100.0.0/24 or src net fd10::/64') == 0)) || fail "not translated"
(($(count wire 'udp dst port 51820') > 0))

step "the LAN itself, from both sides"
reaches member 10.100.0.2
reaches gw 10.100.0.3
reaches member fd10::2

step "the gateway answers its router's ARP, also long after"
ip -n router neigh flush dev to-gw
reaches_by nl member 203.0.113.1

step "the seed's rules, and none to the endpoint"
in_ns gw ip rule show >"$dir/rules"
grep -q '^5:.*to 10.100.0.0/24 lookup main' "$dir/rules"
grep -q '^10:.*not.*fwmark 0x8888/0xffff lookup 1000' "$dir/rules"
grep -q '^11:.*fwmark 0x8888/0xffff unreachable' "$dir/rules"
refute grep -q '198\.51\.100' "$dir/rules"
[[ $(in_ns gw wg show nl fwmark) == 0x8888 ]]
in_ns gw ip route show table 1000 | finds '^default dev nl'
in_ns gw ip route show table 1000 | finds '^unreachable default.*metric 4294967294'

step "programs reach the endpoint's address through the tunnel, not beside it"
for from in member gw; do
  eventually reaches_by nl "$from" 198.51.100.1
done
no_leaks
