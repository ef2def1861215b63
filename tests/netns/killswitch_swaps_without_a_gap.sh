#!/usr/bin/env bash
# The endpoint changes 300 times under load, each time in one transaction: nothing escapes.
source "$(dirname "$0")/killswitch_lib.sh"
make_network
make_tunnel
sed 's/192.0.2.1:51820/192.0.2.1:51821/' /etc/wireguard/wg0.conf >"$dir/wg0.conf"
start_probes swaps
killswitch on wg0
capture swapped world to-host
for _ in {1..150}; do
  killswitch on "$dir/wg0.conf"
  killswitch on wg0
done
stop_probes
marker swapped
found=$(find_probes swapped 192.0.2.1:51821)
[[ $found == "{}" ]] || fail "leaked: $found"
armed
killswitch off
