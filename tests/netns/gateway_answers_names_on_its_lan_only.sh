#!/usr/bin/env bash
# A gateway's resolver is bound to the LAN's interface: nobody who comes in elsewhere is answered on its
# LAN address, also without a kill switch. When the interface is made again, under the same name and
# with the same address, it answers there.
source "$(dirname "$0")/gateway_lib.sh"
gateway_topology
two_providers
run_daemon names nl dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --user=root \
  --pid-file= --bind-interfaces --listen-address=10.2.0.1 --except-interface=lo --address=/host.test/203.0.113.1
eventually in_ns nl dig +short +time=1 +tries=1 @10.2.0.1 host.test
asks() { [[ $(in_ns "$1" dig +short +time=2 +tries=1 "${@:2}" @10.100.0.2 host.test) == 203.0.113.1 ]]; }
ip -n router route add 10.100.0.2/32 via 192.0.2.2 src 192.0.2.1

step "who comes in elsewhere"
start_gateway nl --lan to-member --no-kill-switch
eventually asks member
asks member +tcp
refute asks router
refute asks router +tcp

step "the interface is made again"
stop "$gateway"
start_gateway nl --lan to-member
eventually asks member
in_ns gw bash -c 'ip link del to-member && ip link add to-member type veth peer name again &&
  ip addr add 10.100.0.2/24 dev to-member && ip addr add fd10::2/64 dev to-member nodad &&
  ip link set to-member up'
ip -n gw link set again netns member
address member again 10.100.0.3/24,fd10::3/64
ip -n member link set again up
ip -n member route replace default via 10.100.0.2
wait_for 30 asks member
asks member +tcp
refute asks router
