#!/usr/bin/env bash
# When the cage's process is killed outright, the command in it is gone too, and so is the tunnel.
source "$(dirname "$0")/cage_lib.sh"
make_world

start_cage -- bash -c "echo \$\$ >$own/pid; exec sleep 1000"
eventually test -s "$own/pid"
command=$(<"$own/pid")
eventually grep -qx sleep "/proc/$command/comm"
kill -KILL "$job"
eventually gone "$command"
none_left() { ! pgrep -u "$user"; }
eventually none_left

step "and when the one inside is killed"
rm "$own/pid"
start_cage -- bash -c "echo \$\$ >$own/pid; exec sleep 1000"
eventually test -s "$own/pid"
kill -KILL "$(pgrep -P "$job")"
status=0
wait "$job" || status=$?
[[ $status == 137 ]] || fail "ended with $status"
eventually none_left
