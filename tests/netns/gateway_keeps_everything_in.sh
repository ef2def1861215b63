#!/usr/bin/env bash
# While a member and the gateway send a thousand packets a second, none leaves in clear when routes,
# rules and rulesets of a gateway are flushed, its interface is deleted or it is killed; and it comes
# back. After `killswitch off` the host is open again.
source "$(dirname "$0")/gateway_lib.sh"

step "in clear at first"
gateway_topology
two_providers
open_in_clear

step "flows that live through everything"
start_gateway nl --lan to-member
watch_wire
for from in member gw; do
  run_daemon "send-$from" "$from" python3 "$tests/netns/internet.py" send 203.0.113.1 2001:db8:203::1
done
capture provider nl peer-nl 'udp dst port 7'
eventually captured provider

carried() { (($(count provider) > $1)); }
flows_again() {
  local before
  before=$(count provider)
  eventually carried "$((before + 100))"
}
flows_again

step "the tunnel's routes and the rules go"
in_ns gw ip route flush table 1000
in_ns gw ip -6 route flush table 1000
in_ns gw ip rule del priority 10
in_ns gw ip rule del priority 11
in_ns gw ip -6 rule del priority 10
in_ns gw ip route add 0.0.0.0/1 via 192.0.2.1
no_leaks

step "the rulesets go"
in_ns gw nft flush ruleset || true
no_leaks

step "the interface goes, and with it the gateway"
in_ns gw ip link set nl down
no_leaks
in_ns gw ip link del nl
eventually gone "$gateway"
no_leaks
grep -q 'everything stays blocked' "$dir/gateway.log"

step "it starts again, and is killed"
start_gateway nl --lan to-member
flows_again
kill -9 "$gateway"
eventually gone "$gateway"
in_ns gw nft flush ruleset || true
flows_stop() { refute reaches_by router member 203.0.113.1 && refute reaches_by router gw 203.0.113.1; }
flows_stop
no_leaks

step "and again"
start_gateway nl --lan to-member
flows_again
no_leaks

step "stopping it is a lockdown; unlocking is a command"
stop "$gateway"
((status == 0)) || fail "status $status"
flows_stop
no_leaks
in_ns gw "$GINNEL" killswitch off
eventually reaches_by router gw 203.0.113.1
eventually reaches_by router member 203.0.113.1
