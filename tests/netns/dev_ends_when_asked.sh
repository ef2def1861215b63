#!/usr/bin/env bash
# SIGTERM, SIGINT and, in the foreground, SIGHUP end a daemon with exit code 0, also with a session
# and traffic under way, and interface and socket are gone; after SIGKILL the interface is, and a new
# daemon starts.
source "$(dirname "$0")/dev_lib.sh"
two_ends
start right
busy() { (($(in_ns left cat /sys/class/net/wg-left/statistics/rx_packets) > 100)); }

for signal in TERM INT HUP; do
  step "$signal"
  start left
  eventually reaches left 10.9.0.2
  in_ns left ping -qf -c 100000 10.9.0.2 >/dev/null 2>&1 &
  eventually busy
  stop "${pid[left]}" "$signal"
  [[ $status == 0 ]] || fail "exit code $status"
  no_link left wg-left || fail "the interface stayed"
  [[ ! -e /var/run/wireguard/wg-left.sock ]] || fail "the socket stayed"
  grep -q 'wg-left.*signal' "$dir/left.log" || fail "it did not say why it ended"
done

step "HUP in the background"
in_ns left "$GINNEL" dev ours
daemon=$(pgrep -f 'dev ours')
kill -HUP "$daemon"
in_ns left wg set ours listen-port 4000
running "$daemon"
kill "$daemon"
eventually gone "$daemon"

step "KILL"
start left
eventually reaches left 10.9.0.2
stop "${pid[left]}" KILL
eventually no_link left wg-left
start left
eventually reaches left 10.9.0.2
