#!/usr/bin/env bash
# A network behind a client in which the client itself is reached: the host reaches all of it through
# the tunnel but the client's own address, also when the client moves to another one of it.
#
#   server 203.0.113.2 ──── internet 198.51.100.1 ──── site 198.51.100.2 (and .77, behind it)
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/server_lib.sh"
server_topology
link internet 198.51.100.1/24 site 198.51.100.2/24
ip -n site route add default via 198.51.100.1
ip -n internet route add 192.0.2.0/24 via 203.0.113.2
in_ns internet sysctl -qw net.ipv4.ip_forward=1
in_ns server sysctl -qw net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.to-internet.rp_filter=1

start_server
manage peer add site --allowed-ips 198.51.100.0/24 >"$dir/add.log" 2>&1
start_client site site
ip -n site addr add 198.51.100.77/32 dev lo

directly() { [[ $(ip -n server route get "$1") == *'via 203.0.113.1'* ]]; }
through_tunnel() { [[ $(ip -n server route get "$1") == *'dev wg0'* ]]; }

step "what is behind it is reached through the tunnel, and it itself is not"
eventually directly 198.51.100.2
through_tunnel 198.51.100.77
through_tunnel 198.51.100.3
capture inside server wg0
eventually reaches server 198.51.100.77
(($(count inside dst host 198.51.100.77) > 0)) || fail "not through the tunnel"
manage server status

step "it moves within its network"
ip -n site addr del 198.51.100.2/24 dev to-internet
ip -n site addr add 198.51.100.3/24 dev to-internet
ip -n site route replace default via 198.51.100.1 dev to-internet
moved() { reaches site 10.200.100.1 && directly 198.51.100.3; }
wait_for 30 moved
eventually through_tunnel 198.51.100.2
eventually reaches server 198.51.100.77

step "and out of it"
manage peer disable site
routes() { ip -n server route show dev wg0 | grep 198.51.100 || true; }
[[ -z $(routes) ]] || fail "left: $(routes)"
