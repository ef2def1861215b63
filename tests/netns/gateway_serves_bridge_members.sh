#!/usr/bin/env bash
# Containers of the gateway's own host, on a bridge that is its LAN, are LAN members: they reach each
# other and the internet through the tunnel, and nothing in clear. One that comes later counts too.
#
#   one 10.100.0.11 ──┐
#                     br0 10.100.0.1, the gateway
#   two 10.100.0.12 ──┘
source "$(dirname "$0")/gateway_lib.sh"
gateway_topology
two_providers
ip -n gw addr flush dev to-member
ip -n gw link add br0 type bridge
address gw br0 10.100.0.1/24
ip -n gw link set br0 up
container() {
  namespace "$1"
  ip link add "port-$1" netns gw type veth peer name eth0 netns "$1"
  ip -n gw link set "port-$1" master br0 up
  address "$1" eth0 "$2"
  ip -n "$1" link set eth0 up
  ip -n "$1" route add default via 10.100.0.1
}
container one 10.100.0.11/24
container two 10.100.0.12/24

step "members reach each other, and the internet through the tunnel"
start_gateway nl --lan br0
watch_wire
eventually reaches one 10.100.0.12
eventually reaches_by nl one 203.0.113.1
eventually reaches_by nl two 203.0.113.1

step "a container that comes later"
container three 10.100.0.13/24
eventually reaches three 10.100.0.11
eventually reaches_by nl three 203.0.113.1

step "without the tunnel, none of them gets out"
kill -9 "$gateway"
eventually gone "$gateway"
for ns in one two three; do refute name_of_internet "$ns" 203.0.113.1; done
reaches one 10.100.0.12
no_leaks
