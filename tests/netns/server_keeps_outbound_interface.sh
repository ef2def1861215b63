#!/usr/bin/env bash
# With --outbound-interface, clients of `ginnel server` go out there and nowhere else, whatever the
# default routes of the host say, and nothing of theirs leaves when it is down.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/server_lib.sh"

is_cut_off() { ! reaches client 198.18.0.77 && ! reaches client 2001:db8:77::1; }

step "two providers, the other one preferred by the host"
two_providers
ip -n server route add default via 198.51.100.1 metric 2000
ip -n server -6 route add default via 2001:db8:e::1 metric 2000
in_ns server sysctl -qw net.ipv4.conf.to-second.rp_filter=1
host_state >"$dir/before"
start_server --outbound-interface to-second
start_client client first
for address in 198.18.0.77 2001:db8:77::1; do eventually leads "$address" second; done

step "another router there: clients follow it, whatever the host itself does"
ip -n second addr add 198.51.100.7/24 dev to-server
ip -n server route add default via 198.51.100.7 metric 1500
is_led() { [[ $(ip -n server route show table all proto 103) == "default via $1 "* ]]; }
eventually is_led 198.51.100.7
eventually leads 198.18.0.77 second
ip -n server route del default via 198.51.100.7 metric 1500
eventually is_led 198.51.100.1

step "killed: the next start, which is free to choose, goes the host's way, and nothing is left"
eventually has_noted 192.0.2.2
stop "$server" KILL
start_server
for address in 198.18.0.77 2001:db8:77::1; do eventually leads "$address" internet; done
stop "$server"
host_state | diff "$dir/before" -

step "its end leaves nothing"
start_server --outbound-interface to-second
eventually leads 198.18.0.77 second
stop "$server"
host_state | diff "$dir/before" -
start_server --outbound-interface to-second
eventually leads 198.18.0.77 second

step "down: nothing goes the other way"
capture other internet to-server 'net 198.18.0.77 or net 2001:db8:77::1 or net 10.200.100.0/24'
ip -n server link set to-second down
eventually is_cut_off
[[ $(of_server .state) == no_uplink ]]
grep -q 'warning outbound interface to-second ' "$dir/server.log"
(($(count other) == 0)) || fail "it went out the other way: $(packets other)"
