#!/usr/bin/env bash
# A second `ginnel server` on the same port, interface or state fails with one line that names the
# first one, and changes nothing; with all three of its own, it runs beside it.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/server_lib.sh"

# refused PATTERN FLAGS...
refused() {
  fails 6 "$1" server "${@:2}"
  host_state | diff "$dir/before" - || fail "something changed for $*"
}

step "a server"
server_topology
start_server
process=$(of_server .process)
host_state >"$dir/before"
mkdir "$dir/other"

step "the same state, port, interface"
refused "process $process|$process.*ginnel"
other=(--state-dir "$dir/other" --subnet 10.99.0.0/24)
refused "51820.*$process|$process.*51820" "${other[@]}"
refused "wg0.*process $process" "${other[@]}" --listen 51821 --interface wg0
refused "9586" "${other[@]}" --listen 51821
[[ -z $(ls "$dir/other") ]] || fail "something was written"

step "the first one's subnet"
refused '10.200.100.0/24.*wg0' --state-dir "$dir/other" --listen 51821 --metrics-listen none

step "one that wants nothing of it"
run_daemon second server "$GINNEL" server "${other[@]}" --listen 51821 --metrics-listen none
second=$daemon
eventually grep -q ' ready interface=wg1 ' "$dir/second.log"
fails 2 'wg0, wg1' server status
[[ $(manage server status --interface wg1 --json | jq -r .listen_port) == 51821 ]]
[[ $(manage server status --state-dir "$dir/other" --json | jq -r .interface) == wg1 ]]

step "which ends without touching the first"
stop "$second"
((status == 0)) || fail "exit code $status"
host_state | diff "$dir/before" -
[[ $(of_server .state) == online ]]
