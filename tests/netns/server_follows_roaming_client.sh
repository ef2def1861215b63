#!/usr/bin/env bash
# A client that changes its port, its address and even the family of its underlay keeps its session:
# its TCP connection through `ginnel server` goes on, and the server answers to the new place.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/server_lib.sh"

is_at() { [[ $(of_peer first '.endpoint // ""') == "$1" ]]; }

step "a client with a running connection"
server_topology
serve_echo internet
start_server
start_client client first
eventually reaches client 203.0.113.1
echoes flow client 203.0.113.1
goes_on flow
sessions=$(of_peer first .handshakes)

step "another port"
in_ns client wg set first listen-port 40000
eventually is_at 192.0.2.2:40000
goes_on flow

step "another address"
ip -n client addr del 192.0.2.2/24 dev to-server
ip -n client addr add 192.0.2.77/24 dev to-server
in_ns client wg set first listen-port 40001
eventually is_at 192.0.2.77:40001
goes_on flow

step "another family"
key=$(of_server .public_key)
# An answer that was on its way takes the client back to IPv4: it follows the server, too.
moves_to_ipv6() {
  in_ns client wg set first peer "$key" endpoint '[2001:db8:5::1]:51820'
  reaches client 203.0.113.1 && is_at '[2001:db8:5::2]:40001'
}
eventually moves_to_ipv6
goes_on flow

step "all of it in one session"
[[ $(of_peer first .handshakes) == "$sessions" ]] || fail "there were new handshakes"
