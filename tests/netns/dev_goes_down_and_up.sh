#!/usr/bin/env bash
# While its interface is down, a daemon sends nothing and answers nothing; when it comes up again,
# traffic passes at once, and whoever is to be kept alive is greeted without any.
source "$(dirname "$0")/dev_lib.sh"
two_ends
start right
start left
eventually reaches left 10.9.0.2

step "down"
ip -n left link set wg-left down
in_ns left wg set wg-left peer "${public[right]}" persistent-keepalive 1
capture down left to-right udp src port 51821
refute reaches right 10.9.0.1
[[ $(count down) == 0 ]] || fail "it spoke: $(packets down)"
in_ns left wg show wg-left >/dev/null

step "up"
greeted() { (($(in_ns right wg show wg-right latest-handshakes | cut -f2) > 0)); }
in_ns right wg set wg-right peer "${public[left]}" remove
in_ns right wg setconf wg-right <(wg-quick strip wg-right)
refute greeted
ip -n left link set wg-left up
eventually greeted
reaches left 10.9.0.2

step "down and up, in the middle of a conversation"
in_ns left wg set wg-left peer "${public[right]}" persistent-keepalive off
ip -n left link set wg-left down
ip -n left link set wg-left up
eventually reaches left 10.9.0.2
