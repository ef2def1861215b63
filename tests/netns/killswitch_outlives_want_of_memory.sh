#!/usr/bin/env bash
# Who runs out of memory dies; the lock does not. The watcher and the tunnel are left without any,
# and nothing gets out; "on" has a watcher again.
source "$(dirname "$0")/killswitch_lib.sh"
make_network
make_tunnel
start_probes control
control_seen() { find_probes control | finds '"local4".*"bypass6"\|"bypass6".*"local4"'; }
eventually control_seen
killswitch on wg0
armed
capture hungry world to-host

# starve PID: no further page for it. What it has may last for a while, so it is given work.
starve() {
  prlimit --pid "$1" --as=4096 --data=4096
  local n
  for ((n = 0; n < 400; n++)); do
    running "$1" || return 0
    in_ns host ip link add "hungry$n" type veth peer name "thirsty$n"
    in_ns host ip -6 addr add "fd77::$n/128" dev "hungry$n"
  done
  eventually gone "$1"
}

step "the watcher"
starving=$(watcher)
starve "$starving"
in_ns host nft flush ruleset || true

step "nothing gets out"
stop_probes
reaches world 192.0.2.2 || true # What was on its way is captured by then.
kept_in hungry
in_ns host nft list table inet ginnel-lock-host >/dev/null

step "and everything is made right again"
killswitch on wg0
armed
[[ -n $(watcher) ]]
