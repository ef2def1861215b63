#!/usr/bin/env bash
# A server whose name leads elsewhere while a command is in its cage is found there: the name is looked
# up outside, and nothing but the tunnel's datagrams leaves for it. One that answers is left where it is.
source "$(dirname "$0")/cage_lib.sh"
make_world
conf tun0 vpn.example:51820 </dev/null
server_is() { echo "$1 vpn.example" >/etc/hosts; }
server_is 192.0.2.9 # Nobody is there.

step "it is not where its name led"
start_cage -- bash -c "while ! ping -c 1 -W 1 -n 10.9.0.1 >/dev/null; do touch $own/tried; done
  touch $own/found; exec ping -i 0.2 -n 10.9.0.1 >$own/goes-on"
eventually test -e "$own/tried"

step "its name leads there now"
capture out host to-world ip
server_is 192.0.2.1
wait_for 60 test -e "$own/found"
[[ $(count out 'not udp port 51820') == 0 ]] || fail "left: $(packets out 'not udp port 51820' | head -n 3)"

step "and the command goes on"
lines() { wc -l <"$own/goes-on"; }
goes_on() { (($(lines) > 5)); }
eventually goes_on
kill "$job"
status=0
wait "$job" || status=$?
((status == 128 + 15)) || fail "status $status"
