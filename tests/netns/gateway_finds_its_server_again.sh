#!/usr/bin/env bash
# The server of a gateway's only tunnel moves to another address: nobody can be asked through the tunnel,
# so the uplink's DNS server is, for that one name, with the mark, and the LAN is back. What is kept from
# then on is the new address. With --ask-after 0 nobody is asked.
source "$(dirname "$0")/gateway_lib.sh"
gateway_topology
two_providers
conf nl 10.2.0.2/32,fd02::2/128 10.2.0.1 nl.example:51820
printf 'nameserver 192.0.2.1\n' >/etc/resolv.conf
names_are() { # ADDRESS
  [[ -z ${names:-} ]] || stop "$names"
  run_daemon names router dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --user=root \
    --pid-file= --bind-interfaces --listen-address=192.0.2.1 --except-interface=lo --address=/nl.example/"$1"
  names=$daemon
  eventually in_ns router dig +short +time=1 +tries=1 @192.0.2.1 nl.example
}
moves_to() { # ADDRESS
  names_are "$1"
  ip -n nl -4 addr flush dev to-router
  ip -n nl addr add "$1/24" dev to-router
  ip -n nl route replace default via 198.51.100.254
}
names_are 198.51.100.1

step "it moves"
start_gateway nl --lan to-member --ask-after 1
eventually reaches_by nl member 203.0.113.1
watch_wire wire 'and not port 53'
capture questions router to-gw "port 53 and ether src $(in_ns gw cat /sys/class/net/to-router/address)"
moves_to 198.51.100.7
run_daemon send member python3 "$tests/netns/internet.py" send 203.0.113.1
send=$daemon
wait_for 60 grep -q 'nl.example is 198.51.100.7; nobody is asked in clear any more' "$dir/gateway.log"
grep -q 'asking for nl.example in clear: the host is locked, and no address of it answers' "$dir/gateway.log"
wait_for 40 reaches_by nl member 203.0.113.1
[[ $(in_ns gw wg show nl endpoints) == *198.51.100.7:51820 ]] || fail "$(in_ns gw wg show nl endpoints)"
no_leaks
packets questions >"$dir/asked"
grep -q 'A? nl\.example' "$dir/asked"
refute grep -v 'nl\.example' "$dir/asked"
in_ns gw "$GINNEL" killswitch status --json | finds '"endpoints":\["198.51.100.7:51820"\].*"resolvers":\[\]'

step "the next start knows where it is"
stop "$gateway"
asked=$(count questions)
start_gateway nl --lan to-member --ask-after 0
eventually reaches_by nl member 203.0.113.1
(($(count questions) == asked)) || fail "it was asked again"

step "nobody is asked"
moves_to 198.51.100.8
wait_for 60 grep -q 'tunnel nl does not answer' "$dir/gateway.log"
is_silent() { { in_ns gw "$GINNEL" gateway status || true; } | finds 'state: connecting'; }
wait_for 60 is_silent
kill -HUP "$gateway" # What it would do at once by then, it has done when it has answered this.
eventually grep -q 'reloaded changed=nothing' "$dir/gateway.log"
(($(count questions) == asked)) || fail "it was asked: $(packets questions | tail -n 2)"
running "$send"
no_leaks
