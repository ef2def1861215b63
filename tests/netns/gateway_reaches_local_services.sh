#!/usr/bin/env bash
# What runs on LAN members is reached directly while everything else goes through the tunnel or
# nowhere: by the gateway, by members of another LAN, and by the networks that --local names, from both
# sides; not by a neighbour on the way out that nobody named, and not through the tunnel.
#
#   member 10.100.0.3 ──── gw ──── router 192.0.2.1, 192.0.2.9
#   second 10.101.0.3 ──────┘ └─── desk 192.168.7.9, behind an interface that is no LAN
source "$(dirname "$0")/gateway_lib.sh"
gateway_topology
two_providers
link second 10.101.0.3/24,fd11::3/64 gw 10.101.0.2/24,fd11::2/64
link desk 192.168.7.9/24,fd77::9/64 gw 192.168.7.2/24,fd77::2/64
for ns in second desk; do
  net=$([[ $ns == second ]] && echo 10.101.0.2 fd11::2 || echo 192.168.7.2 fd77::2)
  ip -n "$ns" route add default via "${net% *}"
  ip -n "$ns" -6 route add default via "${net#* }"
done
for ns in member second desk; do
  run_daemon "web-$ns" "$ns" python3 "$tests/netns/internet.py" "$ns"
done
opens() { [[ $(name_of_internet "$1" "$2" 2>/dev/null) == "$3" ]]; }
in_ns gw sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
for from in gw second desk router; do eventually opens "$from" 10.100.0.3 member; done

step "while the tunnel stands"
start_gateway nl --lan to-member --lan to-second --local 192.168.7.0/24 --local fd77::/64
watch_wire
reached() {
  local from
  for from in gw second desk; do
    opens "$from" 10.100.0.3 member || fail "$from does not reach 10.100.0.3"
    opens "$from" fd10::3 member || fail "$from does not reach fd10::3"
  done
  for from in gw member; do
    opens "$from" 10.101.0.3 second || fail "$from does not reach 10.101.0.3"
    opens "$from" 192.168.7.9 desk || fail "$from does not reach 192.168.7.9"
    opens "$from" fd77::9 desk || fail "$from does not reach fd77::9"
  done
}
for ns in member second; do eventually reaches_by nl "$ns" 203.0.113.1; done
reached
refute opens router 10.100.0.3 member
refute opens nl 10.100.0.3 member

step "a neighbour on the way out who forges such an address"
capture forged member to-gw 'icmp or icmp6'
address router lo 192.168.7.99/32,fd77::99/128
forges() {
  in_ns router ping -c 1 -W 1 -n -I 192.168.7.99 10.100.0.3 >/dev/null 2>&1 || true
  in_ns router ping -c 1 -W 1 -n -I fd77::99 fd10::3 >/dev/null 2>&1 || true
}
forges
reaches desk 10.100.0.3
reaches desk fd10::3
for from in 192.168.7.9 fd77::9; do eventually captured forged "src $from"; done
for from in 192.168.7.99 fd77::99; do refute captured forged "src $from"; done

step "while it does not"
stop "$gateway"
for ns in member second desk gw; do refute name_of_internet "$ns" 203.0.113.1 2>/dev/null; done
reached
refute opens router 10.100.0.3 member
no_leaks
in_ns gw "$GINNEL" killswitch off
eventually opens router 10.100.0.3 member
forges
for from in 192.168.7.99 fd77::99; do eventually captured forged "src $from"; done
