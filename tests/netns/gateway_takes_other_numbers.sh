#!/usr/bin/env bash
# `--fwmark`, `--table` and `--rule-priorities` replace the seed's numbers everywhere: in rules, routes,
# the tunnel's own datagrams, and the lock, also once the gateway has ended.
source "$(dirname "$0")/gateway_lib.sh"
gateway_topology
two_providers
open_in_clear
numbers=(--fwmark 0x4200/0xff00 --table 2042 "--rule-priorities=105,110,111")

# The rules of ours, and what they lead to.
holds_to_numbers() {
  local family
  for family in -4 -6; do
    in_ns gw ip "$family" rule show >"$dir/rules"
    grep -q '^110:.*not.*fwmark 0x4200/0xff00 lookup 2042' "$dir/rules" || fail "$(<"$dir/rules")"
    grep -q '^105:.*lookup main' "$dir/rules" || fail "$(<"$dir/rules")"
    refute grep -Eq '^(5|10|11):|lookup 1000|0x8888' "$dir/rules"
    [[ -z $(in_ns gw ip "$family" route show table 1000 2>/dev/null) ]] || fail "table 1000 is used"
  done
  in_ns gw ip rule show | finds '^105:.*to 10.100.0.0/24 lookup main'
}
refuses_by_numbers() {
  local family
  for family in -4 -6; do
    in_ns gw ip "$family" rule show | finds '^111:.*not.*fwmark 0x4200/0xff00 unreachable'
    in_ns gw ip "$family" route show table 2042 | finds '^unreachable default.*metric 4294967294'
  done
}

step "with a kill switch"
start_gateway nl --lan to-member "${numbers[@]}"
watch_wire
for from in member gw; do
  eventually reaches_by nl "$from" 203.0.113.1
  eventually reaches_by nl "$from" 2001:db8:203::1
done
holds_to_numbers
refuses_by_numbers
[[ $(in_ns gw wg show nl fwmark) == 0x4200 ]] || fail "its datagrams carry $(in_ns gw wg show nl fwmark)"
in_ns gw ip route show table 2042 | finds '^default dev nl'
in_ns gw "$GINNEL" killswitch status
reaches member 10.100.0.2

step "a rule that somebody takes away comes back with its number"
in_ns gw ip rule del priority 110
in_ns gw ip -6 rule del priority 111
eventually in_ns gw "$GINNEL" killswitch status
holds_to_numbers
refuses_by_numbers

step "it ends: locked by the same numbers, and nothing stays after"
stop "$gateway"
holds_to_numbers
refuses_by_numbers
refute reaches_by router member 203.0.113.1
no_leaks
in_ns gw "$GINNEL" killswitch off
for family in -4 -6; do
  in_ns gw ip "$family" rule show >"$dir/rules"
  refute grep -Eq '^(105|110|111):' "$dir/rules"
  [[ -z $(in_ns gw ip "$family" route show table 2042 2>/dev/null) ]] || fail "table 2042 has routes"
done

step "without a kill switch"
start_gateway nl --lan to-member --no-kill-switch "${numbers[@]}"
eventually reaches_by nl member 203.0.113.1
holds_to_numbers
[[ $(in_ns gw wg show nl fwmark) == 0x4200 ]] || fail "its datagrams carry $(in_ns gw wg show nl fwmark)"
stop "$gateway"
for family in -4 -6; do
  in_ns gw ip "$family" rule show >"$dir/rules"
  refute grep -Eq '^(105|110|111):' "$dir/rules"
done
