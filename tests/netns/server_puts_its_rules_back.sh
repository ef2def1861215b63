#!/usr/bin/env bash
# Whoever flushes the ruleset, or changes the server's own rules, finds them back at once, and a
# firewall that gets in the way is named at once; connections go on. What is back is what was there.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/server_lib.sh"

own_rules() { in_ns server nft -s list table inet ginnel-server-wg0 && in_ns server nft -s list table arp ginnel-server-wg0; }
are_back() { own_rules | diff -q "$dir/before" -; }
state_is() { [[ $(of_server .state) == "$1" ]]; }
# Sooner than the server looks by itself, which is every 30 s.
at_once() { wait_for 15 "$@"; }

step "a client with open connections"
server_topology
serve_echo internet
start_server --subnet6 fd01::/64
start_client client first
eventually reaches client 203.0.113.1
manage peer set first --deny 'any tcp 9'
own_rules >"$dir/before"
echoes tcp client 203.0.113.1
ticks icmp client 2001:db8:f::1
goes_on tcp && goes_on icmp

for attack in 'flush ruleset' 'delete table inet ginnel-server-wg0' \
  'delete table arp ginnel-server-wg0' 'flush chain inet ginnel-server-wg0 guard' \
  'insert rule inet ginnel-server-wg0 forwarded accept' 'flush map inet ginnel-server-wg0 clients4' \
  'add table inet ginnel-server-wg0 { flags dormant; }'; do
  step "$attack"
  in_ns server nft "$attack"
  at_once are_back
  goes_on tcp && goes_on icmp
done

step "a firewall that gets in the way is named, and is forgotten when it goes"
in_ns server nft 'add table ip foreign; add chain ip foreign c { type filter hook forward priority 0; policy drop; }'
at_once state_is blocked
in_ns server nft delete table ip foreign
at_once state_is online
