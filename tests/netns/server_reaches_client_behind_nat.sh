#!/usr/bin/env bash
# A client behind a NAT that forgets UDP after three seconds of silence stays reachable from the
# server: the keepalive in the file that `ginnel peer add` made holds the mapping open. The same
# client without it is lost.
#
#   client 192.168.7.2 ──── router (masquerades) 192.0.2.2 ──── server 192.0.2.1
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/server_lib.sh"

is_mapped() { in_ns router grep -q 'dport=51820' /proc/net/nf_conntrack; }
is_forgotten() { ! is_mapped; }
keepalives() { count wire 'udp dst port 51820 and udp[4:2] == 40'; }
kept_alive() { (($(keepalives) >= $1)); }

step "topology"
link server 203.0.113.2/24 internet 203.0.113.1/24
ip -n server route add default via 203.0.113.1
link server 192.0.2.1/24 router 192.0.2.2/24
link router 192.168.7.1/24 client 192.168.7.2/24
ip -n client route add default via 192.168.7.1
in_ns router sysctl -qw net.ipv4.ip_forward=1
in_ns router nft -f - <<'RULES'
table ip nat {
  chain post { type nat hook postrouting priority srcnat; oifname "to-server" masquerade random; }
}
RULES
in_ns router sysctl -qw net.netfilter.nf_conntrack_udp_timeout=3 \
  net.netfilter.nf_conntrack_udp_timeout_stream=3

step "a client that keeps its mapping alive"
start_server
manage peer add kept --persistent-keepalive 1 >"$dir/add.log"
start_client client kept
eventually reaches client 10.200.100.1
[[ $(of_peer kept .endpoint) == 192.0.2.2:* ]]
capture wire router to-server
wait_for 30 kept_alive 5  # More of its silence than the router remembers.
is_mapped || fail "the router forgot it"
reaches server "$(of_peer kept '.addresses[0]')" || fail "the client cannot be reached"

step "the same client without keepalive"
in_ns client wg set kept peer "$(of_server .public_key)" persistent-keepalive 0
wait_for 30 is_forgotten
refute reaches server "$(of_peer kept '.addresses[0]')"

step "which finds its way back by itself when it speaks"
eventually reaches client 203.0.113.1
reaches server "$(of_peer kept '.addresses[0]')" || fail "the new mapping is not used"
