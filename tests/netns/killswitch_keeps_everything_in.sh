#!/usr/bin/env bash
# With the kill switch on, no probe of any class leaves: not while the tunnel works, and not while
# its interface, routes, rules and firewall are taken away. The same probes are seen when it is off.
source "$(dirname "$0")/killswitch_lib.sh"
make_network
make_tunnel
eventually through_tunnel

step "positive control: without the lock, every class is seen"
start_probes control
eventually seen_all
stop_probes

step "locked and connected: nothing is seen but the tunnel, which works"
start_probes locked
killswitch on wg0
armed
eventually through_tunnel
# What was on its way when the lock came.
capture after world to-host
through_tunnel

step "neighbours are answered: the router has not forgotten the host when it forgets everything"
ip -n world neigh flush dev to-host
ip -n host neigh flush dev to-world
reaches world 192.0.2.2 || true
[[ $(ip -n world neigh show 192.0.2.2) == *lladdr* ]] || fail "ARP goes unanswered"
eventually through_tunnel

attack() { # NAME CMD...
  local name=$1
  step "attack: $name"
  shift
  in_ns host "$@" >"$dir/attack.out" 2>&1 || true
}
remove_rules() {
  local family
  for family in -4 -6; do
    attack "a rule goes" ip "$family" rule del pref 10
    attack "the other goes" ip "$family" rule del pref 11
  done
}
attack "the routes go" ip route flush table 1000
attack "the IPv6 routes go" ip -6 route flush table 1000
eventually armed
remove_rules
eventually armed
attack "flush ruleset" nft flush ruleset
armed
attack "a rule that accepts all" iptables-nft -I OUTPUT -j ACCEPT
attack "a rule that forwards all" iptables-nft -I FORWARD -j ACCEPT
attack "injected routes" ip route add 0.0.0.0/1 via 192.0.2.1 dev to-world
attack "injected IPv6 routes" ip -6 route add ::/1 via 2001:db8::1 dev to-world
shows host "0.0.0.0/1 via 192.0.2.1" ip route
attack "a rule in front" ip rule add pref 1 lookup main
attack "an IPv6 rule in front" ip -6 rule add pref 1 lookup main
eventually armed
for _ in {1..20}; do through_tunnel || true; done
attack "no rule in front" bash -c 'ip rule del pref 1; ip -6 rule del pref 1'
eventually through_tunnel

step "kill -9 of the watcher, and flush ruleset while nobody watches"
watcher=$(watcher)
kill -9 "$watcher"
eventually gone "$watcher"
attack "flush ruleset" nft flush ruleset
remove_rules
in_ns host nft list table inet ginnel-lock-host >/dev/null

step "the tunnel goes"
attack "link down" ip link set wg0 down
attack "link del" ip link del wg0
for _ in {1..20}; do refute reaches host 198.51.100.1; done

step "all that was sent since, and nothing of it got out"
stop_probes
marker after
kept_in after
python3 - "$dir/locked.sent" <<'CHECK'
import json, sys
sent = json.loads(open(sys.argv[1]).read().splitlines()[-1])
assert len(sent) >= 20 and min(sent.values()) > 20, sent
CHECK

step "off: everything is as before"
killswitch off
refute killswitch status
nothing_stands
eventually reaches host 198.51.100.1
