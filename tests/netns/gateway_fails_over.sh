#!/usr/bin/env bash
# Of two providers the first carries the traffic. When it falls silent under traffic the second has
# it within four seconds, in clear nothing; when it is back for a while it has the traffic again.
source "$(dirname "$0")/gateway_lib.sh"
gateway_topology
two_providers

step "the first that was named"
start_gateway nl se --lan to-member
watch_wire
eventually reaches_by nl member 203.0.113.1
capture before nl peer-nl 'udp dst port 7'
run_daemon send member python3 "$tests/netns/internet.py" send 203.0.113.1

# A peer is greeted every five seconds at most, so the first greeting has to be that long ago.
long_ago() { (($(count before) > 5500)); }
wait_for 30 long_ago

step "it falls silent"
capture second se peer-se 'udp dst port 7'
in_ns router nft -f - <<'RULES'
table inet outage {
  chain forward {
    type filter hook forward priority 0;
    ip daddr 198.51.100.1 drop
    ip saddr 198.51.100.1 drop
  }
}
RULES
fell=$(date +%s%N)
wait_for 15 grep -q 'traffic goes through tunnel se' "$dir/gateway.log"
took=$((($(date +%s%N) - fell) / 1000000))
echo "it took $took ms" >&2
((took < 5000)) || fail "it took $took ms"
eventually reaches_by se member 203.0.113.1
(($(count second) > 0))
# IPv6 is not for the second; it is refused at once, not lost.
refute name_of_internet member 2001:db8:203::1

step "it is back"
in_ns router nft delete table inet outage
wait_for 60 grep -q 'traffic goes through tunnel nl' "$dir/gateway.log"
eventually reaches_by nl member 203.0.113.1
eventually reaches_by nl member 2001:db8:203::1
no_leaks
