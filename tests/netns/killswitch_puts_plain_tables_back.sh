#!/usr/bin/env bash
# Where the kernel has no owned tables (here: told not to use them), others can take the tables
# away; the watcher puts them back at once. A new interface gets its chain before it is used.
source "$(dirname "$0")/killswitch_lib.sh"
make_network
make_tunnel
killswitch on wg0 --plain-tables
armed
grep -q 'tables: plain, watched' "$dir/status"

for attack in 'nft flush ruleset' 'nft delete table inet ginnel-lock-host' \
  'nft delete table netdev ginnel-lock-host' 'nft flush chain inet ginnel-lock-host output' \
  'nft insert rule inet ginnel-lock-host output accept' 'ip rule del pref 10' 'ip -6 rule del pref 11' \
  'ip route flush table 1000' 'ip -6 route del unreachable default table 1000' \
  'sysctl -qw net.ipv4.conf.all.rp_filter=0' 'ip link set wg0 down' 'ip link set wg0 up'; do
  step "$attack"
  # shellcheck disable=SC2086  # It is a command line.
  in_ns host $attack
  wait_for 30 armed
done

step "a new interface"
ip link add new0 netns host type veth peer name far0 netns world
eventually in_ns host nft list chain netdev ginnel-lock-host egress-new0
armed
killswitch off
