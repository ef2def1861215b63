#!/usr/bin/env bash
# The tunnel runs over IPv6, and a peer's endpoint can be moved between the families, by `wg set` at
# one end, while a TCP connection goes on.
source "$(dirname "$0")/dev_lib.sh"
outer=([left]='[2001:db8::1]' [right]='[2001:db8::2]')
two_ends
start right
start left
serve right
endpoints_are() {
  [[ $(in_ns left wg show wg-left endpoints | cut -f2) == "$1:51822" &&
    $(in_ns right wg show wg-right endpoints | cut -f2) == "$2:51821" ]]
}

step "over IPv6"
capture wire right to-left udp
for address in 10.9.0.2 fd09::2; do
  echoes left udp "$address" 1 1372 4000
  echoes left burst "$address" 1200 200
  echoes left tcp "$address" 5000000
done
[[ $(count wire ip) == 0 ]]

step "to IPv4 and back, under way"
stream left 10.9.0.2
in_ns left wg set wg-left peer "${public[right]}" endpoint 192.0.2.2:51822
eventually endpoints_are 192.0.2.2 192.0.2.1
stream_moves
in_ns left wg set wg-left peer "${public[right]}" endpoint '[2001:db8::2]:51822'
eventually endpoints_are '[2001:db8::2]' '[2001:db8::1]'
stream_moves
end_stream
