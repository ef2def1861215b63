#!/usr/bin/env bash
# Three stock clients send TCP, UDP and ICMP through `ginnel server` at the same time, over IPv4 and
# IPv6; what each sends and receives is counted for itself.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/server_lib.sh"

clients=(anna bert cleo)
# As the client itself counts, but for what was lost on the way.
is_counted() {
  local received sent rx tx
  read -r _ received sent < <(in_ns "$1" wg show "$1" transfer)
  rx=$(of_peer "$1" .rx_bytes) tx=$(of_peer "$1" .tx_bytes)
  ((rx <= sent && rx > sent / 2 && tx >= received && tx / 2 < received && received > 4000000))
}

step "topology, server, three clients"
server_topology
start_server
for i in "${!clients[@]}"; do
  name=${clients[i]}
  client_host "$name" $((i + 1))
  manage peer add "$name" >"$dir/$name-add.log"
  start_client "$name" "$name"
done
for i in "${!clients[@]}"; do run_daemon "iperf$i" internet iperf3 -s -p $((5201 + i)); done

step "all at once: ICMP, TCP both ways, UDP; both families"
flows=()
for i in "${!clients[@]}"; do
  for address in 203.0.113.1 2001:db8:f::1; do
    eventually reaches "${clients[i]}" "$address"
  done
done
for i in "${!clients[@]}"; do
  (
    set -e
    in_ns "${clients[i]}" ping -q -n -i 0.01 -c 30 203.0.113.1
    for address in 203.0.113.1 2001:db8:f::1; do
      for flow in '-n 2M' '-R -n 2M' '-u -b 10M -n 200K'; do
        # Again when iperf3 trips over its own last connection.
        # shellcheck disable=SC2086  # Several words.
        eventually in_ns "${clients[i]}" iperf3 -c "$address" -p $((5201 + i)) $flow \
          --connect-timeout 5000
      done
    done
  ) >"$dir/flow$i.log" 2>&1 &
  flows+=($!)
done
for flow in "${flows[@]}"; do wait "$flow" || fail "a flow failed"; done
# Queues overflow for a moment under all of it; more than a few are not lost.
for log in "$dir"/flow?.log; do
  grep -qE ' 1?[0-9](\.[0-9]+)?% packet loss' "$log" || fail "pings were lost: $log"
done

step "each client's traffic is its own"
for name in "${clients[@]}"; do eventually is_counted "$name"; done
(($(of_server .peers_active) == 3)) || fail "not three are active"
