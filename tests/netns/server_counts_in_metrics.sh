#!/usr/bin/env bash
# /metrics of `ginnel server` is Prometheus text whose numbers are those of the traffic that clients
# had. Names and keys of clients are in it only when asked for, and it listens where it is told.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/server_lib.sh"

scrape() { in_ns server curl -fsS "http://${1:-127.0.0.1:9586}/metrics"; }
# metric SERIES: its value; 0 when it is not there.
metric() { scrape | awk -v series="$1" '$1 == series { it = $2 } END { print it ? it : 0 }'; }
has_metric() { (($(metric "$1") >= $2)); }

step "a client with traffic"
server_topology
start_server
start_client client first
eventually reaches client 203.0.113.1
eventually in_ns client ping -q -n -c 100 -i 0.002 -s 1000 203.0.113.1
run_daemon noise client python3 -c '
import socket
one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for _ in range(50):
    one.sendto(bytes([1, 0, 0, 0]) + bytes(144), ("192.0.2.1", 51820))'

step "what is counted"
eventually has_metric 'ginnel_inbound_bytes_total{path="direct_ipv4"}' 100000
has_metric 'ginnel_outbound_bytes_total{path="direct_ipv4"}' 100000
(($(metric 'ginnel_inbound_bytes_total{path="direct_ipv4"}') < 200000))
has_metric 'ginnel_handshakes_total{result="completed"}' 1
[[ $(metric 'ginnel_peers{state="direct"}') == 1 ]]
eventually has_metric 'ginnel_inbound_dropped_packets_total{reason="bad_mac1"}' 50
started=$(metric ginnel_start_time_seconds)
(($(date +%s) - ${started%.*} < 100)) || fail "started at $started"
[[ $(metric ginnel_start_time_seconds) == "$started" ]] || fail "the start moved"

step "the format: every series has a type, each once, in one block"
scrape >"$dir/metrics"
awk '
  /^# TYPE / { if (types[$3]++) bad("twice " $3); kind[$3] = $4; current = $3; next }
  /^# HELP / { if (helps[$3]++) bad("help twice " $3); next }
  /^#/ { next }
  {
    name = $1; sub(/\{.*/, "", name)
    if (name != current) bad(name " outside its block")
    if (kind[name] == "counter" && name !~ /_total$/) bad(name " is a counter")
    if (seen[$1]++) bad("twice " $1)
    if ($0 !~ /^[a-z_]+(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? [0-9.e+-]+$/) bad("line " $0)
    count++
  }
  function bad(what) { print what; failed = 1 }
  END { if (count < 10) bad("few series"); exit failed }' "$dir/metrics" >&2
in_ns server curl -fsSI -X GET http://127.0.0.1:9586/metrics | finds -i '^content-type: text/plain'

step "nobody is named"
refute grep -qF -e first -e "$(of_peer first .public_key)" "$dir/metrics"
[[ -z $(in_ns client curl -s -m 1 http://192.0.2.1:9586/metrics) ]] || fail "others may read it"

step "unless asked for"
stop "$server"
total=$(of_peer first .rx_bytes)
start_server --metrics-per-peer --metrics-listen 127.0.0.1:9999
key=$(of_peer first .public_key)
scrape 127.0.0.1:9999 >"$dir/metrics"
series="ginnel_peer_inbound_bytes_total{name=\"first\",public_key=\"$key\"}"
(($(awk -v series="$series" '$1 == series { print $2 }' "$dir/metrics") >= total)) ||
  fail "not its total, $total: $(grep ginnel_peer_ "$dir/metrics")"

step "or not at all"
stop "$server"
start_server --metrics-listen none
refute in_ns server bash -c ': </dev/tcp/127.0.0.1/9586' 2>/dev/null
