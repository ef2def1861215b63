#!/usr/bin/env bash
# A gateway tells systemd when its lock and tunnels stand and not before, which tunnel carries the
# traffic, that it lives, that it reads its files again, and that it ends.
source "$(dirname "$0")/gateway_lib.sh"
gateway_topology
two_providers
socat -u "UNIX-RECV:$dir/notify" "CREATE:$dir/told" &
eventually test -S "$dir/notify"
# Messages have no end of their own.
times() { tr '\n' ' ' <"$dir/told" | { grep -aoE "$1" || true; } | wc -l; }
told() { (($(times "$1") > 0)); }

step "not ready without a lock"
ip -n gw link add nl type bridge
status=0
in_ns gw env NOTIFY_SOCKET="$dir/notify" "$GINNEL" gateway nl --lan to-member 2>"$dir/err" || status=$?
((status == 6)) || fail "status $status: $(<"$dir/err")"
refute told 'READY=1'
ip -n gw link del nl

step "ready"
run_daemon gateway gw env NOTIFY_SOCKET="$dir/notify" WATCHDOG_USEC=400000 "$GINNEL" gateway nl se --lan to-member
gateway=$daemon
eventually told 'READY=1'
in_ns gw nft list table inet ginnel-lock-host >/dev/null
in_ns gw ip link show nl >/dev/null
eventually told 'STATUS=connected through nl'
beats() { (($(times 'WATCHDOG=1') > $1)); }
eventually beats "$(($(times 'WATCHDOG=1') + 3))"

step "it reads its files again"
ready=$(times 'READY=1')
in_ns gw "$GINNEL" gateway reload
eventually told 'RELOADING=1 MONOTONIC_USEC=[0-9]+'
ready_again() { (($(times 'READY=1') == ready + 1)); }
eventually ready_again
sed -i 's/^Address.*/Address = 10.2.0.300/' /etc/wireguard/nl.conf
ready=$(times 'READY=1')
refute in_ns gw "$GINNEL" gateway reload 2>/dev/null
eventually ready_again

step "another tunnel takes over"
run_daemon send member python3 "$tests/netns/internet.py" send 203.0.113.1
ip -n nl link del peer-nl
wait_for 30 told 'STATUS=connected through se'

step "none answers"
ip -n se link del peer-se
wait_for 60 told 'STATUS=no tunnel answers'

step "it ends"
refute told 'STOPPING=1'
stop "$gateway"
eventually told 'STOPPING=1'
