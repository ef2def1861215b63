#!/usr/bin/env bash
# Somebody takes the interface of `ginnel server` down, or its address away: it puts them back, and
# a client's connection goes on; so it does when datagrams could not be sent for a moment. When the
# interface itself is deleted, the server says so, and ends with nothing left.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/server_lib.sh"

is_up() { [[ $(in_ns server cat /sys/class/net/wg0/flags) == 0x*[13579bdf] ]]; }
has_address() { [[ $(ip -n server addr show dev wg0) == *'inet 10.200.100.1/24'* ]]; }

step "a client with traffic"
server_topology
host_state >"$dir/before"
serve_echo internet
start_server
start_client client first
eventually reaches client 203.0.113.1
echoes tcp client 203.0.113.1
ticks icmp6 client 2001:db8:f::1
goes_on tcp && goes_on icmp6

step "down, and up again by itself"
ip -n server link set wg0 down
eventually is_up
eventually reaches client 203.0.113.1
goes_on tcp && goes_on icmp6

step "the address"
ip -n server addr del 10.200.100.1/24 dev wg0
eventually has_address
goes_on tcp && goes_on icmp6

step "the way to the client, for a moment: what cannot be sent is no end"
ip -n server link set to-client down
ip -n server link set to-client up
eventually ip -n server addr replace 2001:db8:5::1/64 dev to-client
goes_on tcp && goes_on icmp6

step "the interface: that is the end"
ip -n server link del wg0
eventually gone "$server"
status=0
wait "$server" || status=$?
((status == 1)) || fail "exit code $status"
grep -q 'interface wg0 was deleted' "$dir/server.log"
host_state | diff "$dir/before" -
