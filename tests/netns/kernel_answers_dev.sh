#!/usr/bin/env bash
# A Linux kernel's WireGuard answers ginnel's handshakes, with a preshared key, and what passes then
# is right to the last byte: ICMP, UDP and TCP of both families. So it is after ginnel was killed and
# started again, when only a new handshake helps, and after it has moved.
source "$(dirname "$0")/kernel_lib.sh"
guest --mtu 1420
conf left right "PresharedKey = $psk"

step "ginnel asks"
start left
guest_serve
carries_from_left 10.9.0.2
carries_from_left fd09::2
(($(guest_handshake) > 0 && $(left_handshake) > 0))

step "ginnel asks again, without memory of the session"
stop "${pid[left]}" KILL
eventually no_link left wg-left
start left
carries_from_left fd09::2

step "the kernel follows ginnel to another address and port"
ip -n left addr del 192.0.2.1/24 dev to-guest
ip -n left addr add 192.0.2.101/24 dev to-guest
in_ns left wg set wg-left listen-port 40000
carries_from_left 10.9.0.2
[[ $(in_guest wg show wg0 endpoints | cut -f2) == 192.0.2.101:40000 ]]

step "without the preshared key it says why there is no session"
printf '%s\n' "$psk" >"$dir/psk"
in_ns left wg set wg-left peer "${public[right]}" preshared-key /dev/null
ip -n left link set wg-left down
ip -n left link set wg-left up
refute reaches left 10.9.0.2
[[ $(counter left handshake_bad_response) == 1 ]]
in_ns left wg set wg-left peer "${public[right]}" preshared-key "$dir/psk"
eventually reaches left 10.9.0.2
