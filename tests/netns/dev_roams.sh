#!/usr/bin/env bash
# A client that gets another address keeps its TCP connection, over either family: what it sends from
# the new address tells the server where it is.
source "$(dirname "$0")/dev_lib.sh"
two_ends
start right
start left
serve right
endpoint_is() { [[ $(in_ns right wg show wg-right endpoints | cut -f2) == "$1" ]]; }

stream left 10.9.0.2
step "another IPv4 address"
ip -n left addr del 192.0.2.1/24 dev to-right
ip -n left addr add 192.0.2.101/24 dev to-right
eventually endpoint_is 192.0.2.101:51821
stream_moves

step "another IPv6 address"
in_ns left wg set wg-left peer "${public[right]}" endpoint '[2001:db8::2]:51822'
eventually endpoint_is '[2001:db8::1]:51821'
stream_moves
ip -n left addr add 2001:db8::101/64 dev to-right
ip -n left addr del 2001:db8::1/64 dev to-right
eventually endpoint_is '[2001:db8::101]:51821'
stream_moves

step "another port"
in_ns left wg set wg-left listen-port 40000
eventually endpoint_is '[2001:db8::101]:40000'
stream_moves
end_stream
