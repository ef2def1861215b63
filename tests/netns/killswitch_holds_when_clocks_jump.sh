#!/usr/bin/env bash
# A clock that jumps opens nothing: a lock stays as it is, and a change that nobody confirmed goes
# back to the lock before it, at once and without a gap.
source "$(dirname "$0")/killswitch_lib.sh"
make_network
make_tunnel
sed 's/192.0.2.1:51820/192.0.2.1:51821/' /etc/wireguard/wg0.conf >"$dir/wg0.conf"
jump=(unshare --time --boottime 1000000 --monotonic 1000000 --fork --kill-child)

start_probes control
control_seen() { find_probes control | finds '"local4".*"bypass6"\|"bypass6".*"local4"'; }
eventually control_seen
killswitch on wg0
armed
capture jumps world to-host

step "a watcher to whom eleven days have passed"
old=$(watcher)
kill -9 "$old"
eventually gone "$old"
run_daemon watcher host "${jump[@]}" "$GINNEL" killswitch watch
watches() { [[ -n $(watcher) ]]; }
eventually watches
armed
in_ns host ip route flush table 1000
eventually armed

step "a change that waits to be confirmed"
killswitch on "$dir/wg0.conf" --confirm 600
went_back() { grep -q 'not confirmed in time; the former state comes back' "$dir/watcher.log"; }
eventually went_back
eventually armed
grep -q 'endpoint: 192.0.2.1:51820' "$dir/status"

step "nothing got out"
stop_probes
reaches world 192.0.2.2 || true # What was on its way is captured by then.
found=$(find_probes jumps 192.0.2.1:51821)
[[ $found == "{}" ]] || fail "leaked: $found"
