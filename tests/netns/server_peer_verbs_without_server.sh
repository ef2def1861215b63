#!/usr/bin/env bash
# Without a running server the verbs of `ginnel peer` edit its files and say so; the next start
# takes that over. Addresses stay each client's own through restarts and while it is disabled.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/server_lib.sh"

addresses() { manage peer list --json | jq -r '.peers[] | "\(.name) \(.addresses | join(" "))"'; }

step "before the first start"
server_topology
manage peer add anna >"$dir/out" 2>"$dir/err"
grep -q 'no server runs here' "$dir/err"
manage peer add bert >>"$dir/out"
manage peer disable bert 2>&1 | finds 'no server runs here'
[[ $(stat -c %a /etc/ginnel/peers.d/anna.toml) == 600 ]] || fail "the file may be read by others"
addresses >"$dir/addresses"
(($(wc -l <"$dir/addresses") == 2)) || fail "not two peers"

step "a start takes it over"
start_server
addresses | diff "$dir/addresses" -
start_client client anna
eventually reaches client 203.0.113.1
stop "$server"

step "between two starts"
manage peer remove anna 2>&1 | finds 'no server runs here'
manage peer add cleo >>"$dir/out" 2>&1
grep -q "^cleo: 10.200.100.2, " "$dir/out" || fail "the free address was not taken"
manage peer enable bert >>"$dir/out" 2>&1
addresses >"$dir/addresses"
grep -q '^bert 10.200.100.3 ' "$dir/addresses" || fail "bert has another address"
fails 1 anna peer remove anna

step "and again"
start_server
addresses | diff "$dir/addresses" -
[[ $(of_peer bert .enabled) == true ]]

step "a server that does not run is not taken for the one that does"
fails 1 'no server runs on wg9' peer list --interface wg9
fails 1 'no server runs on wg9' peer add dora --interface wg9
manage peer list --interface wg0 | finds bert
