#!/usr/bin/env bash
# `ginnel server` follows the default route, for each family by itself, without touching sessions.
# Without any way out its rules stay, `server status` says so, and it goes on when there is one.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/server_lib.sh"

ways() { of_server '"\(.uplink_ipv4) \(.uplink_ipv6)"'; }
goes() { [[ $(ways) == "$1 $2" ]]; }
is_cut_off() { ! reaches client 198.18.0.77; }

step "two providers, and a client"
two_providers
in_ns server sysctl -qw net.ipv6.conf.to-second.keep_addr_on_down=1
start_server
goes to-internet to-internet
start_client client first
for address in 198.18.0.77 2001:db8:77::1; do eventually leads "$address" internet; done
session=$(of_peer first '"\(.last_handshake) \(.handshakes)"')

step "IPv4 moves, IPv6 does not"
ip -n server route replace default via 198.51.100.1
eventually goes to-second to-internet
eventually leads 198.18.0.77 second
leads 2001:db8:77::1 internet

step "IPv6 too"
ip -n server -6 route replace default via 2001:db8:e::1
eventually goes to-second to-second
eventually leads 2001:db8:77::1 second

step "the provider's link breaks: no way out, which is said"
in_ns server nft -s list table inet ginnel-server-wg0 >"$dir/rules"
ip -n server link set to-second down
eventually goes null null
refute manage server status >"$dir/status"
[[ $(of_server .state) == no_uplink ]]
in_ns server nft list tables | finds ginnel-server-wg0
is_cut_off || fail "it is not"
grep -q 'warning this host has no default route' "$dir/server.log"

step "and is there again"
ip -n server link set to-second up
ip -n server route add default via 198.51.100.1
ip -n server -6 route add default via 2001:db8:e::1
eventually goes to-second to-second
for address in 198.18.0.77 2001:db8:77::1; do eventually leads "$address" second; done
[[ $(of_server .state) == online ]]
in_ns server nft -s list table inet ginnel-server-wg0 | diff "$dir/rules" -
[[ $(of_peer first '"\(.last_handshake) \(.handshakes)"') == "$session" ]] || fail "a new session"
