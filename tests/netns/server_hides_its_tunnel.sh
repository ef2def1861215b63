#!/usr/bin/env bash
# Who is next to the server (on its uplink) and guesses the tunnel's addresses learns nothing: they
# answer neither ARP nor pings, nothing that is sent to them gets into the tunnel, and nobody makes
# the server tell a client something by forging its address (CVE-2019-14899). Without the server's
# rules, all of it happens.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/server_lib.sh"

# send PAYLOAD SOURCE TARGET: a datagram from the neighbour, whose address need not be its own.
send() {
  in_ns internet python3 - "$@" <<'END'
import socket, sys
payload, source, target = sys.argv[1:]
family, level, transparent = (socket.AF_INET6, 41, 75) if ":" in target else (socket.AF_INET, 0, 19)
with socket.socket(family, socket.SOCK_DGRAM) as sender:
    sender.setsockopt(level, transparent, 1)
    sender.bind((source, 4444))
    sender.sendto(payload.encode(), (target, 4445))
END
}
# By the neighbour's table, with a route that has it ask.
answers_arp() {
  ip -n internet route replace "$1/32" dev to-server
  reaches internet "$1" || true
  ip -n internet neigh show "$1" dev to-server | finds lladdr
}
# In a packet for the client, or in an error about one.
gets() { packets "$1" -A | finds "$2"; }

step "a server with a client, and a neighbour who knows its subnets"
server_topology
start_server --subnet6 fd01::/64
start_client client first
eventually reaches client 203.0.113.1
client4=$(of_peer first '.addresses[0]') client6=$(of_peer first '.addresses[1]')
ip -n internet route add 10.200.100.0/24 via 203.0.113.2
ip -n internet route add fd01::/64 via 2001:db8:f::2
reaches internet 203.0.113.2
answers_arp 203.0.113.2

# Into the tunnel, and by way of what the server says to whom it takes for the client: a port of it
# that is closed.
attack() {
  send "$1-into4" 203.0.113.1 "$client4"
  send "$1-into6" 2001:db8:f::1 "$client6"
  send "$1-told4" "$client4" 203.0.113.2
  send "$1-told6" "$client6" 2001:db8:f::2
}

step "nothing is to be learned"
capture rules client first
attack rules
reaches client 203.0.113.1  # Arrives after all that was sent before it.
eventually gets rules 203.0.113.1
refute gets rules rules-
refute reaches internet 10.200.100.1
refute reaches internet fd01::1
refute answers_arp 10.200.100.1

step "without rules, everything is"
bare_tunnel wg0 "$server"
eventually reaches server "$client4"
capture bare client first
for kind in into4 into6 told4 told6; do
  attack bare
  eventually gets bare "bare-$kind"
done
eventually answers_arp 10.200.100.1
eventually reaches internet fd01::1
