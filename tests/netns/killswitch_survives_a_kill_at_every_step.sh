#!/usr/bin/env bash
# Killed between any two steps of a change, a locked host stays locked, and the next command makes
# everything right. Some of the steps; all of them with `./x test --all`.
source "$(dirname "$0")/killswitch_lib.sh"
stride=3
[[ -z ${GINNEL_TEST_ALL:-} ]] || stride=1
make_network
make_tunnel
sed 's/192.0.2.1:51820/192.0.2.1:51821/' /etc/wireguard/wg0.conf >"$dir/wg0.conf"
settings() { in_ns host sysctl -a 2>/dev/null | finds '^net.*\.\(rp_filter\|arp_ignore\|src_valid_mark\) '; }
settings >"$dir/settings"

# die_at N ARGS...: runs it, and has it killed at its Nth step, or what it starts. Fails when it has
# fewer steps.
die_at() {
  local at=$1 status=0
  shift
  { in_ns host env "GINNEL_FAIL_AT=$at" "$GINNEL" killswitch "$@" >"$dir/died.log" 2>&1 || status=$?; } 2>/dev/null
  ((status == 137)) && return
  grep -q 'ended before it was ready' "$dir/died.log" && return # A process that it started was.
  ((status == 0)) || fail "step $at of $*: status $status: $(<"$dir/died.log")"
  return 1
}
# The watcher of a run that was not killed has still to be, at some later step of its own.
no_watcher() {
  local one
  for one in $(watcher); do
    kill -9 "$one" 2>/dev/null || true # It may be ending by itself.
    eventually gone "$one"
  done
}

step "this build can be killed"
die_at 1 on || fail "it has no fail points: build it with -DGINNEL_FAIL_POINTS=ON"
killswitch off

step "the control: all of it is seen without the lock"
start_probes control
control_seen() { find_probes control | finds '"local4".*"bypass6"\|"bypass6".*"local4"'; }
eventually control_seen
killswitch on wg0
armed
capture changes world to-host

step "from one lock to another"
steps=0
for ((at = 1; ; at++)); do
  die_at "$at" on "$dir/wg0.conf" || break
  steps=$at
  killswitch on wg0
  armed
done
for ((at = 1; ; at++)); do
  die_at "$at" on || break
  killswitch on wg0
  armed
done
((steps > 5)) || fail "only $steps steps"
no_watcher
killswitch on wg0
stop_probes
reaches world 192.0.2.2 || true # What was on its way is captured by then.
found=$(find_probes changes 192.0.2.1:51821)
[[ $found == "{}" ]] || fail "leaked in $steps steps: $found"

step "off"
for ((at = 1; ; at += stride)); do
  die_at "$at" off || break
  killswitch off
  nothing_stands
  settings | diff "$dir/settings" -
  killswitch on wg0
done

step "on"
no_watcher
killswitch off
for ((at = 1; ; at += stride)); do
  die_at "$at" on wg0 || break
  killswitch on wg0
  armed
  killswitch off
  nothing_stands
  settings | diff "$dir/settings" -
done
