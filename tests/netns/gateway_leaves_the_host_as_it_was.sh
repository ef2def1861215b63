#!/usr/bin/env bash
# When a gateway has ended and the host is unlocked, every address, route, rule, table, kernel setting
# and DNS server is what it was before: after it was stopped, killed while two tunnels stood or none
# answered, started by the wrong command, or not confirmed in time.
source "$(dirname "$0")/gateway_lib.sh"
source "$(dirname "$0")/host_lib.sh"
gateway_topology
two_providers
in_ns gw sysctl -qw net.ipv4.conf.all.rp_filter=2 net.ipv4.conf.to-member.arp_ignore=1
printf 'nameserver 192.0.2.1\nsearch home.example\n' >/etc/resolv.conf
in_ns gw nft 'add table inet mine; add chain inet mine in { type filter hook input priority 0; }; add rule inet mine in counter'
eventually reaches_by router gw 203.0.113.1
# Interfaces get addresses of their own with the carrier.
own_addresses() { [[ $(in_ns gw ip -6 -o addr show scope link | grep -vc tentative) == 2 ]]; }
eventually own_addresses
remember gw
unlock() { in_ns gw "$GINNEL" killswitch off; }

step "stopped"
start_gateway nl se --lan to-member
eventually reaches_by nl member 203.0.113.1
stop "$gateway"
unlock
check_unchanged gw

step "killed"
start_gateway nl se --lan to-member
eventually grep -q 10.2.0.1 /etc/resolv.conf
stop "$gateway" KILL
unlock
check_unchanged gw

step "killed, with another file after it"
start_gateway nl --lan to-member
stop "$gateway" KILL
start_gateway se --lan to-member
stop "$gateway" KILL
unlock
check_unchanged gw

step "killed again and again while it starts"
for delay in 0.02 0.04 0.06 0.08 0.1 0.13 0.16 0.2 0.25 0.3; do
  in_ns gw timeout -s KILL "$delay" "$GINNEL" gateway nl se --lan to-member >"$dir/killed.log" 2>&1 || true
  unlock
  check_unchanged gw
done

step "while it runs, nobody else may change its lock"
start_gateway nl --lan to-member
for change in off on 'on se'; do
  status=0
  # shellcheck disable=SC2086  # It is a command line.
  in_ns gw "$GINNEL" killswitch $change 2>"$dir/refused" || status=$?
  ((status == 6)) || fail "killswitch $change: status $status: $(<"$dir/refused")"
  grep -q 'that of the gateway through nl, which runs; end that first' "$dir/refused"
done
in_ns gw "$GINNEL" killswitch status
reaches_by nl member 203.0.113.1
stop "$gateway"
in_ns gw "$GINNEL" killswitch on
unlock
check_unchanged gw

step "not confirmed"
run_daemon gateway gw "$GINNEL" gateway nl --lan to-member --confirm 1
gateway=$daemon
wait_for 60 gone "$gateway"
unlock
check_unchanged gw
