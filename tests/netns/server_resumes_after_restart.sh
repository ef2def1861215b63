#!/usr/bin/env bash
# `ginnel server` is restarted while a client pings through it and a TCP connection is open: both go
# on at once, long before the client would have missed an answer, because the server calls it back.
# The totals of the client go on from where they were.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/server_lib.sh"

rx() { of_peer first .rx_bytes; }
grows_from() { (($(rx) > $1)); }

step "a client with traffic"
server_topology
serve_echo internet
start_server
start_client client first
eventually reaches client 203.0.113.1
echoes tcp client 203.0.113.1
ticks icmp4 client 203.0.113.1
ticks icmp6 client 2001:db8:f::1
goes_on tcp && goes_on icmp4 && goes_on icmp6
addresses=$(of_peer first '.addresses | tostring')
handshake=$(of_peer first .last_handshake)

step "restart"
stop "$server"
((status == 0)) || fail "exit code $status"
before=$(manage peer show first --json | jq .peer.rx_bytes)
((before > 0)) || fail "a stopped server does not know its totals"
start_server
(($(rx) >= before)) || fail "the totals went back from $before to $(rx)"
[[ $(of_peer first '.addresses | tostring') == "$addresses" ]] || fail "other addresses"

step "everything goes on"
start=$SECONDS
eventually grows_from "$before"
goes_on icmp4 && goes_on icmp6 && goes_on tcp
((SECONDS - start < 12)) || fail "it took the client's own handshake"  # That is after 15 s.
[[ $(of_peer first .last_handshake) > $handshake ]] || fail "the handshake is that of before"
