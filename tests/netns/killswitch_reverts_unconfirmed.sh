#!/usr/bin/env bash
# A lock over ssh goes back unless it is confirmed in time: to what stood before, be that nothing or
# another lock. The session's own address stays reachable meanwhile.
source "$(dirname "$0")/killswitch_lib.sh"
make_network
make_tunnel
remote() { SSH_CONNECTION='192.0.2.1 40000 192.0.2.2 22' killswitch "$@"; }
off() { [[ $(killswitch status | head -n 1) == 'kill switch: off' ]]; }

step "over ssh there are 60 s to confirm"
remote on wg0 2>"$dir/said"
grep -q 'management from 192.0.2.1/32' "$dir/said"
grep -q 'confirm within 60 s' "$dir/said"
killswitch status | finds 'goes back in'
killswitch confirm
refute killswitch confirm
armed
killswitch off

step "unconfirmed: nothing stands any more"
remote on wg0 --confirm 2
armed
wait_for 30 off
nothing_stands

step "unconfirmed, over a lock that stood: that one comes back"
killswitch on wg0
killswitch on --confirm 2
killswitch status | finds 'kill switch: locked'
back() { killswitch status | finds 'kill switch: connected, armed'; }
wait_for 30 back
killswitch off

step "another change meanwhile goes back as well, which it says, unless that is refused"
killswitch on wg0 --confirm 600
killswitch on 2>"$dir/said"
grep -Eq 'confirm within (600|5[0-9][0-9]) s' "$dir/said"
killswitch on wg0 --confirm 0 2>"$dir/said"
refute grep -q 'confirm within' "$dir/said"
refute killswitch confirm
armed
