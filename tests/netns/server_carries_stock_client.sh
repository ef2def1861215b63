#!/usr/bin/env bash
# A stock client (wg-quick, wireguard-go) gets through `ginnel server`, which was given nothing but
# its endpoint, to the internet and back: ICMP, TCP and UDP over IPv4 and IPv6, translated.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/server_lib.sh"

packets_from_server() { (($(count outside 'src 203.0.113.2 and icmp[0] == 8') > 0)); }

step "topology, server, client"
server_topology
start_server
refute reaches client 203.0.113.1  # Nothing but the tunnel leads there.
start_client client first

step "ICMP, both families"
eventually reaches client 203.0.113.1
eventually reaches client 2001:db8:f::1

step "TCP, both families"
run_daemon iperf internet iperf3 -s
for address in 203.0.113.1 2001:db8:f::1; do
  eventually in_ns client iperf3 -c "$address" -n 2M --connect-timeout 2000
  eventually in_ns client iperf3 -R -c "$address" -n 2M --connect-timeout 2000
done

step "UDP, both families"
for address in 203.0.113.1 2001:db8:f::1; do
  eventually in_ns client iperf3 -u -b 5M -c "$address" -n 200K --connect-timeout 2000
done

step "what the host outside sees is the server"
capture outside internet to-server icmp
reaches client 203.0.113.1 || fail "no answer"
eventually packets_from_server
(($(count outside 'src net 10.200.100.0/24') == 0)) || fail "an inner address went out"

step "the server knows about it"
in_ns server "$GINNEL" peer show first --json | finds '"last_handshake":"20'
