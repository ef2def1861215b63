#!/usr/bin/env bash
# `ginnel server` is killed outright under traffic. The next start takes over what was left (table,
# forwarding, sockets), traffic goes on without touching the client, and after its end the host is
# as it was before the first.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/server_lib.sh"

step "a client with traffic"
server_topology
host_state >"$dir/before"
start_server
start_client client first
eventually reaches client 203.0.113.1
ticks icmp4 client 203.0.113.1
ticks icmp6 client 2001:db8:f::1
goes_on icmp4 && goes_on icmp6

eventually has_noted 192.0.2.2

step "killed: the rules wait for the next start"
stop "$server" KILL
in_ns server nft list tables | finds ginnel-server-wg0

step "the next start"
start_server
[[ $(of_server .interface) == wg0 ]]
(($(in_ns server nft list tables inet | grep -c ginnel) == 1)) || fail "more than one table"
goes_on icmp4 && goes_on icmp6

step "and its end"
stop "$server"
((status == 0)) || fail "exit code $status"
host_state | diff "$dir/before" -
