#!/usr/bin/env bash
# A FORWARD policy of somebody else's that drops what clients send is found: `server status` says
# blocked and prints a command that cures it. With --open-firewall the server adds its one rule, and
# removes it at its end.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/server_lib.sh"

step "a host whose other firewall forwards nothing"
server_topology
in_ns server nft -f - <<'RULES'
table ip foreign {
  chain FORWARD { type filter hook forward priority 0; policy drop; }
}
RULES
in_ns server nft list ruleset >"$dir/before"

step "without the flag: blocked, and said"
start_server
got=0
in_ns server "$GINNEL" server status >"$dir/status" || got=$?
((got == 1)) || fail "exit code $got"
grep -q 'state: blocked' "$dir/status"
start_client client first
refute reaches client 203.0.113.1

step "the printed commands cure it"
sed -n 's/^    fix: //p' "$dir/status" | grep '^nft' >"$dir/fixes"
while read -r fix; do in_ns server bash -c "$fix"; done <"$dir/fixes"
eventually reaches client 203.0.113.1
in_ns client wg-quick down "$dir/first.conf" >"$dir/first-down.log" 2>&1
stop "$server"
in_ns server nft flush ruleset
in_ns server nft -f "$dir/before"

step "with the flag: open while it runs, and as before after it"
start_server --open-firewall
in_ns server "$GINNEL" server status >"$dir/status"
start_client client first
eventually reaches client 203.0.113.1
stop "$server"
in_ns server nft list ruleset | diff "$dir/before" -
