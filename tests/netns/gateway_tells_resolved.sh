#!/usr/bin/env bash
# A gateway on a host whose systemd-resolved was told of a server by DHCP: the host asks the tunnel's
# server instead, that of another tunnel when one takes over, and nobody when none answers or when the
# gateway has ended and left the host locked. Unlocked, it asks as before.
source "$(dirname "$0")/gateway_lib.sh"
source "$(dirname "$0")/resolved_lib.sh"
gateway_topology
two_providers

# server NAME NS ADDRESS ANSWER: a DNS server that knows every name.
server() {
  run_daemon "$1" "$2" dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --user=root \
    --pid-file= --bind-interfaces --listen-address="$3" --except-interface=lo --address=/test/"$4"
  eventually in_ns "$2" dig +short +time=1 +tries=1 "@$3" host.test
}
server names-router router 192.0.2.1 192.0.2.66
server names-nl nl 10.2.0.1 203.0.113.10
server names-se se 10.3.0.1 203.0.113.11
names=0
# asks WANTED: what the host's own programs are told; each time of another name.
asks() {
  names=$((names + 1))
  [[ $(in_ns gw getent ahostsv4 "name$names.test" | awk 'NR == 1 { print $1 }') == "$1" ]]
}
asks_nobody() { names=$((names + 1)); refute in_ns gw timeout 10 getent ahostsv4 "name$names.test"; }

start_resolved gw to-router 192.0.2.1
eventually asks 192.0.2.66
told >"$dir/before"
same_told() { diff "$dir/before" <(told); }

step "connected"
start_gateway nl se --lan to-member
watch_wire
capture questions router to-gw port 53
eventually asks 203.0.113.10
[[ $(ctl dns nl) == *": 10.2.0.1" && $(ctl domain nl) == *": ~." ]] || fail "$(told)"
[[ $(ctl default-route nl) == *": yes" && $(ctl default-route to-router) == *": no" ]] || fail "$(told)"
in_ns member dig +short +time=2 @10.100.0.2 other.test | finds -x 203.0.113.10

step "another tunnel takes over"
run_daemon send member python3 "$tests/netns/internet.py" send 203.0.113.1
ip -n nl link del peer-nl
wait_for 30 grep -q 'traffic goes through tunnel se' "$dir/gateway.log"
eventually asks 203.0.113.11

step "no tunnel answers"
ip -n se link del peer-se
asks_nobody

step "the gateway has ended: locked, and what resolved knew is not asked"
stop "$gateway"
eventually same_told
asks_nobody
in_ns gw dig +time=1 +tries=1 @192.0.2.1 more.test >"$dir/answer" || true
refute grep -q 'status: NOERROR' "$dir/answer"
no_leaks
(($(count questions) == 0)) || fail "asked in clear: $(packets questions | head -n 3)"

step "unlocked, it is as before"
in_ns gw "$GINNEL" killswitch off
eventually asks 192.0.2.66
eventually captured questions

step "one that was killed: its next start, or who unlocks, takes back what it told"
for name in nl se; do
  in_ns "$name" ginnel-dev "peer-$name"
  in_ns "$name" wg set "peer-$name" private-key <(echo "${provider_key[$name]}") listen-port 51820 \
    peer "$pub_gw" allowed-ips 10.2.0.2/32,10.3.0.2/32
  ip -n "$name" link set "peer-$name" up
done
address nl peer-nl 10.2.0.1/30
address se peer-se 10.3.0.1/30
for name in nl se; do
  start_gateway "$name" --lan to-member
  stop "$gateway" KILL
done
start_gateway nl --lan to-member
[[ $(ctl default-route to-router) == *": no" ]] || fail "$(told)"
stop "$gateway" KILL
in_ns gw "$GINNEL" killswitch off
eventually same_told
eventually asks 192.0.2.66
in_ns gw nft list tables >"$dir/tables"
refute grep -q ginnel "$dir/tables"
