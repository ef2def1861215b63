#!/usr/bin/env bash
# Whoever may manage a gateway opens connections to it from outside and gets its answers, locked or
# not; others do not, and nothing is begun towards him. Over SSH the lock goes back when nobody
# confirms it, and stays when somebody does.
source "$(dirname "$0")/gateway_lib.sh"
gateway_topology
two_providers
address router to-gw 192.0.2.9/24
in_ns gw python3 "$tests/netns/internet.py" gw >/dev/null 2>&1 &
# shellcheck disable=SC2016  # It is the other shell's own.
opens() { in_ns router timeout 1 bash -c 'exec 3<>/dev/tcp/192.0.2.2/80 && read -r line <&3 && [[ $line == gw ]]'; }
from() { ip -n router route replace 192.0.2.2/32 dev to-gw src "$1"; }
eventually opens

step "--manage"
start_gateway nl --lan to-member --manage 192.0.2.9
watch_wire
from 192.0.2.9
eventually opens
from 192.0.2.1
refute opens
refute in_ns gw timeout 1 bash -c ': < /dev/tcp/192.0.2.9/80'
refute reaches gw 192.0.2.9
leaks | grep -v '192.0.2.2.80 > 192.0.2.9' >"$dir/others" || true
[[ ! -s $dir/others ]] || fail "in clear: $(<"$dir/others")"
kill -9 "$gateway"
eventually gone "$gateway"
from 192.0.2.9
opens
in_ns gw "$GINNEL" killswitch off

step "--manage 0.0.0.0/0: from anywhere, beside the tunnel"
start_gateway nl --lan to-member --manage 0.0.0.0/0
watch_wire anywhere
from 203.0.113.1
eventually opens
from 192.0.2.9
opens
eventually reaches_by nl gw 203.0.113.1
eventually reaches_by nl member 203.0.113.1
kill -9 "$gateway"
eventually gone "$gateway"
from 203.0.113.1
opens
refute reaches gw 203.0.113.1
leaks anywhere | grep -v '192.0.2.2.80 > ' >"$dir/others" || true
[[ ! -s $dir/others ]] || fail "in clear: $(<"$dir/others")"
in_ns gw "$GINNEL" killswitch status
in_ns gw "$GINNEL" killswitch off

step "over SSH, and nobody confirms"
export SSH_CONNECTION='192.0.2.9 50022 192.0.2.2 22'
rm "$dir/gateway.log"
run_daemon gateway gw "$GINNEL" gateway nl --lan to-member --confirm 2
gateway=$daemon
eventually grep -q 'goes back in 2 s' "$dir/gateway.log"
wait_for 60 gone "$gateway"
status=0
wait "$gateway" || status=$?
((status == 5)) || fail "status $status"
eventually reaches_by router gw 203.0.113.1
refute in_ns gw "$GINNEL" killswitch status

step "over SSH, and somebody does"
start_gateway nl --lan to-member
wait_for 50 in_ns gw "$GINNEL" killswitch confirm
eventually grep -q confirmed "$dir/gateway.log"
running "$gateway"
in_ns gw "$GINNEL" killswitch status
from 192.0.2.9
opens
