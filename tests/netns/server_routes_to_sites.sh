#!/usr/bin/env bash
# The server's host reaches the networks behind its clients, in both families, and so do clients
# that may reach each other; nobody on its other links speaks for them. What the host reaches
# another way stays there, and is named. A client that goes takes its routes along.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/server_lib.sh"

routes() { { ip -n server route show dev wg0; ip -n server -6 route show dev wg0; } | grep 'proto 103' || true; }
has_no_routes() { [[ -z $(routes) ]]; }

step "a client with networks behind it, one of which the host has itself"
server_topology
client_host other 1
host_state >"$dir/before"
start_server --client-to-client
manage peer add site --allowed-ips 192.168.78.0/24 --allowed-ips fd78::/64 \
  --allowed-ips 203.0.113.0/24 >"$dir/add.log" 2>&1
start_client client first
start_client other site
ip -n other addr add 192.168.78.1/24 dev lo
ip -n other addr add fd78::1/64 dev lo
eventually reaches other 192.0.3.1

step "the host and the other client reach them"
for network in 192.168.78.1 fd78::1; do
  eventually reaches server "$network"
  eventually reaches client "$network"
done

step "what the host reaches another way stays there"
reaches server 203.0.113.1
[[ $(of_server '.findings[] | select(.code == "route-taken").message') == *'203.0.113.0/24 of peer "site"'*to-internet* ]]

step "nobody else speaks for them"
in_ns internet ip addr add 192.168.78.9/32 dev lo
reaches internet 203.0.113.2
capture answers server wg0
refute in_ns internet ping -c 1 -W 1 -I 192.168.78.9 203.0.113.2
(($(count answers dst host 192.168.78.9) == 0)) || fail "the tunnel got an answer"

step "they come and go with the client"
manage peer disable site
has_no_routes || fail "left: $(routes)"
manage peer enable site
(($(routes | wc -l) == 2)) || fail "routes: $(routes)"
eventually reaches server 192.168.78.1

step "and go with the server"
stop "$server"
host_state | diff "$dir/before" -
