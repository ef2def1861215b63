#!/usr/bin/env bash
# `ginnel server` is restarted while a client pings through it and a TCP connection is open, in which
# nobody speaks just then: both go on at once, long before the client would have missed an answer,
# because the server calls it back. The totals of the client go on from where they were.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/server_lib.sh"

rx() { of_peer first .rx_bytes; }
# asks WORD: over the one TCP connection there is.
asks() {
  echo "$1" >>"$dir/words"
  eventually grep -qx "$1" "$dir/tcp.log"
}
grows_from() { (($(rx) > $1)); }

step "a client with traffic"
server_topology
serve_echo internet
start_server
start_client client first
eventually reaches client 203.0.113.1
: >"$dir/words"
# shellcheck disable=SC2016  # Expanded by the shell in there.
run_daemon tcp client bash -c 'exec 3<>/dev/tcp/203.0.113.1/7; tail -n +1 -f "$1" >&3 & cat <&3' - "$dir/words"
ticks icmp4 client 203.0.113.1
ticks icmp6 client 2001:db8:f::1
asks before && goes_on icmp4 && goes_on icmp6
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
goes_on icmp4 && goes_on icmp6 && asks after
((SECONDS - start < 12)) || fail "it took the client's own handshake"  # That is after 15 s.
[[ $(of_peer first .last_handshake) > $handshake ]] || fail "the handshake is that of before"
