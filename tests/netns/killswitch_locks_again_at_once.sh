#!/usr/bin/env bash
# Off and on again before the watcher has looked: the lock is another one then, with tables of
# another owner, and the same watcher mends it, leaves its descriptor with systemd, and takes it back.
source "$(dirname "$0")/killswitch_lib.sh"
make_network
make_tunnel

step "a watcher that sleeps through off and on"
killswitch on wg0
eventually armed
watched=$(watcher)
kill -STOP "$watched"
killswitch off
nothing_stands
refute killswitch on wg0 --confirm 600 2>"$dir/said" # It waited for it.
grep -q 'watcher does not answer' "$dir/said"
stands() { in_ns host nft list table inet ginnel-lock-host >/dev/null 2>&1; }
stands
refute armed
grep -q 'tables: owned, guarded' "$dir/status"
grep -q 'missing: nobody watches it' "$dir/status"
[[ $(watcher) == "$watched" ]] || fail "another watcher: $(watcher)"
kill -CONT "$watched"
eventually armed

step "it puts back what is taken away"
in_ns host ip rule del pref 10
eventually armed

step "and without guardian it has the descriptor that owns the tables"
kill -9 "$(guardian)"
guarded() { [[ -n $(guardian) ]]; }
eventually guarded
eventually armed
refute in_ns host nft delete table inet ginnel-lock-host

step "off by the watcher, which finds its change unconfirmed"
kill -STOP "$watched"
killswitch off
refute killswitch on wg0 --confirm 1
kill -CONT "$watched"
off() { [[ $(killswitch status | head -n 1) == 'kill switch: off' ]]; }
wait_for 30 off
nothing_stands
