#!/usr/bin/env bash
# Owned tables: nobody can change or flush them, not even after every process that changed them was
# killed, because a guardian holds the descriptor. When the guardian is killed too, the watcher
# starts another; when both are, the tables stay until somebody flushes them, and "on" owns them anew.
source "$(dirname "$0")/killswitch_lib.sh"
make_network
make_tunnel
killswitch on wg0
armed
grep -q 'tables: owned, guarded' "$dir/status"
stands() { in_ns host nft list table inet ginnel-lock-host >/dev/null 2>&1; }

step "a stranger may neither change nor flush"
refute in_ns host nft delete table inet ginnel-lock-host
refute in_ns host nft add rule inet ginnel-lock-host output accept
refute in_ns host nft delete table netdev ginnel-lock-host
in_ns host nft flush ruleset || true
armed

step "the guardian is killed: the watcher starts another"
first=$(guardian)
kill -9 "$first"
replaced() { [[ -n $(guardian) && $(guardian) != "$first" ]]; }
wait_for 30 replaced
armed

step "the watcher is killed: the guardian goes on, and another \"on\" watches again"
kill -9 "$(watcher)"
in_ns host nft flush ruleset || true
stands
refute armed
[[ $(grep missing: "$dir/status") == *"nobody watches it"* ]]
killswitch on wg0
armed

step "when \"on\" returns there are two, whatever stood before, and either can be killed at once"
for former in 'on wg0 --plain-tables' off; do
  for victim in guardian watcher; do
    # shellcheck disable=SC2086  # They are words.
    killswitch $former
    [[ -z $(guardian) ]] || kill -9 "$(guardian)"
    killswitch on wg0
    kill -9 "$($victim)"
    refute in_ns host nft delete table inet ginnel-lock-host
    killswitch on wg0
    armed
  done
done

step "both are killed: the tables stay"
kill -9 "$(watcher)" "$(guardian)"
stands
refute armed # Nobody guards them.
killswitch on wg0
armed
refute in_ns host nft delete table inet ginnel-lock-host
killswitch off
refute stands
