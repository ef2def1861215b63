#!/usr/bin/env bash
# An interface goes on when it is renamed, and when it is moved into a container's namespace while
# the program and its sockets stay outside: the container's only way out is then the tunnel.
source "$(dirname "$0")/dev_lib.sh"
two_ends
namespace container
start right

step "moved while it is down, and taken up there"
run_daemon left left "$GINNEL" dev wg-left --foreground
eventually in_ns left wg show wg-left
in_ns left wg setconf wg-left <(wg-quick strip wg-left)
ip -n left link set wg-left netns container
address container wg-left 10.9.0.1/24,fd09::1/64
ip -n container link set wg-left up
reaches container 10.9.0.2
reaches right fd09::1
in_ns left wg show wg-left latest-handshakes | finds -vP '\t0$'

step "taken down there"
ip -n container link set wg-left down
in_ns left wg set wg-left peer "${public[right]}" persistent-keepalive 1
capture down left to-right udp src port 51821
refute reaches right 10.9.0.1
[[ $(count down) == 0 ]] || fail "it spoke: $(packets down)"

step "moved back"
ip -n container link set wg-left netns left
address left wg-left 10.9.0.1/24
ip -n left link set wg-left up
eventually reaches left 10.9.0.2

step "renamed"
ip -n right link set wg-right down
ip -n right link set wg-right name elsewhere
ip -n right link set elsewhere up
eventually reaches right 10.9.0.1

step "deleted under its new name"
ip -n right link del elsewhere
eventually gone "${pid[right]}"
no_process right
