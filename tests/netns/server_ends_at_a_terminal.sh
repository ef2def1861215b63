#!/usr/bin/env bash
# At a terminal `ginnel server` shows the first client, as text and as a code that a phone can read,
# and a live line; Ctrl-C, also twice and in a hurry, ends it with exit code 0 and nothing left.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/server_lib.sh"

# Runs it at a terminal of its own; $dir/NAME.log is what one sees there, and what is written to
# $keys is typed.
start_at_terminal() {
  mkfifo "$dir/$1.keys"
  exec {keys}<>"$dir/$1.keys"
  ip netns exec server env TERM=xterm script -qefc \
    "stty cols 200 rows 50; exec $GINNEL server --endpoint 192.0.2.1" /dev/null \
    <"$dir/$1.keys" >"$dir/$1.log" 2>&1 &
  terminal=$!
}
ended() {
  eventually gone "$terminal"
  status=0
  wait "$terminal" || status=$?
  ((status == 0)) || fail "exit code $status"
  host_state | diff "$dir/before" -
  [[ -z $(find /run/ginnel /run/wireguard -name '*.sock') ]] || fail "a socket is left"
}

step "a terminal"
server_topology
host_state >"$dir/before"
start_at_terminal one
eventually grep -aq 'wg0 online, 0 of 1 peers active' "$dir/one.log"
grep -aq '^\[Interface\]' "$dir/one.log"
grep -aq '█' "$dir/one.log" || fail "no code"
grep -aq 'Ctrl-C' "$dir/one.log"
refute grep -aq 'info ready' "$dir/one.log"  # Log lines would push the live line down.
manage peer config first >"$dir/first.conf"
start_client client first
eventually grep -aq 'wg0 online, 1 of 1 peers active' "$dir/one.log"
in_ns client wg-quick down "$dir/first.conf" >"$dir/down.log" 2>&1

step "Ctrl-C"
printf '\003' >&"$keys"
ended

step "Ctrl-C twice"
start_at_terminal two
eventually grep -aq 'wg0 online' "$dir/two.log"
refute grep -aq '^\[Interface\]' "$dir/two.log"  # Not the first time any more.
printf '\003\003' >&"$keys"
ended

step "Ctrl-C before it is ready"
start_at_terminal three
running_server() { [[ -n $(find /run/ginnel -name 'server-*') ]]; }
eventually running_server
printf '\003' >&"$keys"
ended

step "the terminal goes away: nobody could end it any more, so it ends"
start_at_terminal four
eventually grep -aq 'wg0 online' "$dir/four.log"
process=$(of_server .process)
kill -KILL "$terminal"
eventually gone "$process"
host_state | diff "$dir/before" -
