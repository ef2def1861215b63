#!/usr/bin/env bash
# Traffic that nobody answers, as a log that is sent somewhere, goes through the preferred tunnel for as
# long as its peer answers greetings: no other tunnel takes over.
source "$(dirname "$0")/gateway_lib.sh"
gateway_topology
two_providers
start_gateway nl se --lan to-member
in_ns nl nft -f - <<'RULES'
table inet mute {
  chain in {
    type filter hook prerouting priority 0;
    iifname "peer-nl" udp dport 7 drop
  }
}
RULES
capture greetings router to-gw 'udp and dst host 198.51.100.1 and udp[8] == 1'
run_daemon send member python3 "$tests/netns/internet.py" send 203.0.113.1
send=$daemon
greeted() { (($(count greetings) >= 4)); }
wait_for 60 greeted
refute grep -q 'does not answer' "$dir/gateway.log"
eventually reaches_by nl member 203.0.113.1
in_ns gw "$GINNEL" gateway status | finds 'failovers: 0'
running "$send"
