#!/usr/bin/env bash
# `--no-kill-switch`: LAN members and the gateway go through the tunnel, and the host is not locked.
# When the gateway ends the host is as it was, and packets leave in clear; one that was killed leaves
# no rule behind once another starts; another provider takes over as with a lock.
source "$(dirname "$0")/gateway_lib.sh"
gateway_topology
two_providers
open_in_clear
state() {
  in_ns gw ip -4 route show table all
  in_ns gw ip -6 route show table all | sed 's/expires [^ ]*//'
  in_ns gw ip rule show
  in_ns gw ip -6 rule show
  in_ns gw ip -o link show
  in_ns gw nft --stateless list ruleset
  in_ns gw sysctl net.ipv4.ip_forward net.ipv6.conf.all.forwarding net.ipv4.conf.all.rp_filter \
    net.ipv4.conf.all.src_valid_mark
}
state >"$dir/before"
# Nothing keeps the host's kernel from telling routers of its groups, at a time of its own.
besides='ip6[6] == 0 and ip6[48] == 143'

step "through the tunnel, and not locked"
start_gateway nl se --lan to-member --no-kill-switch
watch_wire
for from in member gw; do
  eventually reaches_by nl "$from" 203.0.113.1
  eventually reaches_by nl "$from" 2001:db8:203::1
done
reaches member 10.100.0.2
reaches gw 10.100.0.3
status=0
in_ns gw "$GINNEL" killswitch status >"$dir/lock" || status=$?
((status == 1)) || fail "status $status"
[[ $(<"$dir/lock") == 'kill switch: off' ]] || fail "$(<"$dir/lock")"
in_ns gw nft list tables >"$dir/tables"
refute grep -q lock "$dir/tables"
in_ns gw ip rule show >"$dir/rules"
grep -q '^5:.*to 10.100.0.0/24 lookup main' "$dir/rules"
grep -q '^10:.*not.*fwmark 0x8888/0xffff lookup 1000' "$dir/rules"
refute grep -q '^11:' "$dir/rules"
no_leaks

step "the other provider takes over"
run_daemon send member python3 "$tests/netns/internet.py" send 203.0.113.1
send=$daemon
ip -n nl link del peer-nl
wait_for 30 grep -q 'traffic goes through tunnel se' "$dir/gateway.log"
eventually reaches_by se member 203.0.113.1
stop "$send"
no_leaks

step "it ends, and the host is as it was"
stop "$gateway"
((status == 0)) || fail "status $status"
refute grep -q 'stays blocked' "$dir/gateway.log"
state >"$dir/after"
diff "$dir/before" "$dir/after" || fail "the host is not as it was"
for from in member gw; do eventually reaches_by router "$from" 203.0.113.1; done

step "one that was killed is cleaned up after"
start_gateway se --lan to-member --no-kill-switch
stop "$gateway" KILL
start_gateway se --lan to-member --no-kill-switch
eventually reaches_by se member 203.0.113.1
stop "$gateway"
state >"$dir/after"
diff "$dir/before" "$dir/after" || fail "the host is not as it was"
