#!/usr/bin/env bash
# Clients that are added at the same time get an address each; when the subnet of `ginnel server` is
# used up, `peer add` says so and changes nothing, and a removed client's address is given again.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/server_lib.sh"

step "a server with a small subnet"
server_topology
start_server --subnet 10.77.0.0/28

step "twelve at once"
adds=()
for i in {1..12}; do
  manage peer add "client$i" >"$dir/add$i.log" 2>&1 &
  adds+=($!)
done
for add in "${adds[@]}"; do wait "$add" || fail "an addition failed"; done
manage peer list --json | jq -r '.peers[].addresses[]' | sort >"$dir/addresses"
(($(wc -l <"$dir/addresses") == 26)) || fail "not 13 clients with two addresses each"
[[ -z $(uniq -d "$dir/addresses") ]] || fail "an address was given twice"

step "used up"
find /etc/ginnel /var/lib/ginnel -name '*.toml' | sort >"$dir/files"
fails 1 '10\.77\.0\.0/28' peer add late
find /etc/ginnel /var/lib/ginnel -name '*.toml' | sort | diff "$dir/files" -

step "the same without a server"
stop "$server"
fails 1 '10\.77\.0\.0/28' peer add late

step "a removed client makes room"
start_server --subnet 10.77.0.0/28
free=$(of_peer client7 '.addresses[0]')
manage peer remove client7
manage peer add late >"$dir/late.log"
[[ $(of_peer late '.addresses[0]') == "$free" ]] || fail "another address"

step "the same name twice at once: one of them"
manage peer remove late
for i in 1 2; do manage peer add twin >"$dir/twin$i.log" 2>&1 & done
status=0
for job in $(jobs -p); do [[ $job == "$server" ]] || wait "$job" || ((status += 1)); done
((status == 1)) || fail "$status of two failed"
grep -q 'exists already' "$dir"/twin?.log
