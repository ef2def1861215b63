#!/usr/bin/env bash
# After SIGTERM no interface, address, route, rule, nftables table or setting of `ginnel server` is
# left; after SIGKILL the next start cleans up, starts, and the same holds after its end.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/server_lib.sh"

step "topology"
server_topology
host_state >"$dir/before"

step "SIGTERM"
start_server
in_ns server nft list tables | finds ginnel-server-wg0
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
