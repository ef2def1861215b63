#!/usr/bin/env bash
# Somebody else's firewall that drops what LAN members send, or the tunnel's own datagrams: the
# gateway's log and status name its table and chain, and a command; with that command it works, and
# the finding goes away.
source "$(dirname "$0")/gateway_lib.sh"
gateway_topology
two_providers

findings() {
  in_ns gw "$GINNEL" gateway status --json >"$dir/status" || true
  python3 -c "import json, sys
for f in json.load(open(sys.argv[1]))['findings']: print(f['code'], f['message'], f['fix'], sep='|')" "$dir/status"
}
none() { [[ -z $(findings) ]]; }

step "nobody's"
start_gateway nl --lan to-member
eventually reaches_by nl member 203.0.113.1
none || fail "$(findings)"

step "members' traffic"
in_ns gw nft -f - <<'RULES'
table inet theirs {
  chain passing {
    type filter hook forward priority 10; policy drop;
    ct state established accept
  }
}
RULES
refute name_of_internet member 203.0.113.1
# An interface that comes makes it look at once.
ip -n gw link add soon type bridge
found() { findings | finds '^firewall-blocks|traffic from the clients to the internet (to-member): chain passing of table inet theirs drops it by its policy|'; }
eventually found
findings >"$dir/findings"
grep -q 'chain passing of table inet theirs drops it by its policy; "nft' "$dir/gateway.log"
while IFS='|' read -r _ _ fix; do in_ns gw bash -c "$fix"; done <"$dir/findings"
eventually reaches_by nl member 203.0.113.1
ip -n gw link del soon
eventually none
in_ns gw nft delete table inet theirs

step "the tunnel's own"
in_ns gw nft -f - <<'RULES'
table ip theirs {
  chain leaving {
    type filter hook output priority 10;
    udp dport 51820 drop
  }
}
RULES
ip -n gw link add soon type bridge
call() { findings | finds "^firewall-blocks|datagrams to the tunnel's peer: a rule in chain leaving of table ip theirs drops it|"; }
eventually call
