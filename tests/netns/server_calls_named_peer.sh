#!/usr/bin/env bash
# A peer whose endpoint is the name of a host is called where that name leads. A name that nobody
# knows is said in `server status`, holds nobody up, and is tried again until somebody does.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/server_lib.sh"

step "a peer that never calls"
server_topology
mkdir -p /etc/netns/server
echo 'nameserver 127.0.0.1' >/etc/netns/server/resolv.conf
cp /etc/hosts /etc/netns/server/hosts
start_server
manage peer add road --endpoint road.example.org:4242
# Nothing in the client's file says where the server is.
manage peer config road | sed '/^DNS/d; /^Endpoint/d; /^PersistentKeepalive/d
  s/^\[Interface\]/&\nListenPort = 4242/' >"$dir/road.conf"
stock_up client "$dir/road.conf"

step "a name that nobody knows is a finding"
is_found() { [[ $(of_server '.findings[].code') == *endpoint-unknown* ]]; }
wait_for 30 is_found
[[ $(of_server .state) == online ]]
of_server '.findings[].message' | finds road.example.org
refute reaches client 203.0.113.1

step "the server serves others meanwhile"
client_host other 1
start_client other first
eventually reaches other 203.0.113.1

step "once the name is known, the peer is called"
# The file that the server's namespace has as its /etc/hosts.
echo '192.0.2.2 road.example.org' >>/etc/netns/server/hosts
wait_for 60 reaches client 203.0.113.1
[[ $(of_peer road .endpoint) == 192.0.2.2:4242 ]]
refute is_found
