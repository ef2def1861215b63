#!/usr/bin/env bash
# After SIGTERM no interface, address, route, rule, nftables table or setting of `ginnel server` is
# left; after SIGKILL the next start cleans up, starts, and the same holds after its end.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/server_lib.sh"

host_state() {
  in_ns server ip -j addr | sed 's/"preferred_life_time":[0-9]*//g; s/"valid_life_time":[0-9]*//g'
  in_ns server ip -j route show table all
  in_ns server ip -j -6 route show table all
  in_ns server ip -j rule
  in_ns server nft -j list ruleset
  in_ns server sysctl -a 2>/dev/null | grep -E '^net\.ipv[46]\.(ip_forward|conf)' | sort
}

step "topology"
server_topology
host_state >"$dir/before"

step "SIGTERM"
start_server
in_ns server nft list tables | grep -q ginnel-server-wg0
stop "$server"
((status == 0)) || fail "exit code $status"
host_state >"$dir/after"
diff "$dir/before" "$dir/after"

step "SIGKILL, and another start"
start_server
stop "$server" KILL
start_server
in_ns server "$GINNEL" server status
stop "$server" INT
((status == 0)) || fail "exit code $status"
host_state >"$dir/after"
diff "$dir/before" "$dir/after"
[[ ! -e /run/ginnel/server-wg0.sock && ! -e /run/wireguard/wg0.sock ]] || fail "a socket is left"
