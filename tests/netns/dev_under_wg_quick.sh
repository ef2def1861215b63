#!/usr/bin/env bash
# Stock wg-quick brings a ginnel interface up and down unchanged: when `up` returns, interface and
# socket answer, and traffic of both families passes to Debian's wireguard-go; `down` leaves nothing.
source "$(dirname "$0")/dev_lib.sh"
two_ends

step "up, with wireguard-go at the other end"
up right wireguard-go
up left ginnel-dev
[[ -S /var/run/wireguard/wg-left.sock ]] || fail "no control socket after wg-quick up"
[[ $(in_ns left wg show wg-left listen-port) == 51821 ]] || fail "wg show does not answer"
[[ $(cat /sys/class/net/wg-left/mtu 2>/dev/null || in_ns left cat /sys/class/net/wg-left/mtu) == 1420 ]]

step "both families pass"
eventually reaches left 10.9.0.2
reaches left fd09::2
reaches right 10.9.0.1
in_ns left wg show wg-left latest-handshakes | finds -vP '\t0$'

step "down"
in_ns left wg-quick down wg-left
refute in_ns left ip link show wg-left 2>/dev/null
[[ ! -e /var/run/wireguard/wg-left.sock ]] || fail "the socket stayed"
