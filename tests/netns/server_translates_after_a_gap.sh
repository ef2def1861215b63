#!/usr/bin/env bash
# A host that loses its default routes and gets them back: what clients send meanwhile, to hosts that
# the uplink still leads to, is translated, and what they send afterwards from the first packet on.
# One that left untranslated would be the end of its flow, because the kernel decides once for each.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/server_lib.sh"

goes() { [[ $(of_server '"\(.uplink_ipv4) \(.uplink_ipv6)"') == "$1" ]]; }

step "a client that is online"
server_topology
start_server
start_client client first
for address in 203.0.113.1 2001:db8:f::1; do eventually reaches client "$address"; done
capture plain internet to-server "src net 10.200.100.0/24 or src net fd00::/8"

step "no default route"
ip -n server route del default
ip -n server -6 route del default
eventually goes "null null"
[[ $(of_server .state) == no_uplink ]]
for address in 203.0.113.1 2001:db8:f::1; do eventually reaches client "$address"; done

step "and there again"
ip -n server route add default via 203.0.113.1
ip -n server route add default via 2001:db8:f::1
for address in 203.0.113.1 2001:db8:f::1; do reaches client "$address"; done
eventually goes "to-internet to-internet"
[[ $(of_server .state) == online ]]
(($(count plain) == 0)) || fail "untranslated: $(packets plain | head -3)"
