#!/usr/bin/env bash
# `ginnel gateway status`, its JSON and the metrics say which tunnel carries the traffic, how old its
# handshake is, what went through, whether the lock stands, how often another tunnel took over, and
# what the LAN's resolver had in its cache. The exit code says whether all is well.
source "$(dirname "$0")/gateway_lib.sh"
gateway_topology
two_providers
run_daemon names nl dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --user=root \
  --pid-file= --bind-interfaces --listen-address=10.2.0.1 --except-interface=lo --address=/host.test/203.0.113.1 \
  --local-ttl=300
eventually in_ns nl dig +short +time=1 +tries=1 @10.2.0.1 host.test

# says CODE [EXPRESSION]: the exit code, and what is true of the document d.
says() {
  local status=0
  in_ns gw "$GINNEL" gateway status --json >"$dir/status" 2>"$dir/err" || status=$?
  ((status == $1)) || return 1
  [[ -z ${2:-} ]] || python3 -c "import json, sys
d = json.load(open(sys.argv[1]))
nl, se = d['tunnels']
sys.exit(not ($2))" "$dir/status"
}
metric() { in_ns gw curl -s http://127.0.0.1:9586/metrics | sed -n "s/^$1 //p"; }
is_metric() { [[ $(metric "$1") == "$2" ]]; }

step "no gateway"
says 4
grep -q 'start a gateway' "$dir/err"

step "connected"
start_gateway nl se --lan to-member --metrics-listen 127.0.0.1:9586
eventually reaches_by nl member 203.0.113.1
eventually says 0 "d['state'] == 'connected' and d['lock']['armed'] and d['lock']['state'] == 'connected'"
eventually says 0 "nl['active'] and nl['state'] == 'up' and nl['last_handshake'] and nl['rx_bytes'] > 200 and nl['tx_bytes'] > 200"
says 0 "not se['active'] and d['failovers'] == 0 and nl['endpoint'] == '198.51.100.1:51820' and d['lan'] == ['to-member']"
in_ns gw "$GINNEL" gateway status >"$dir/text"
grep -q '^tunnel nl: up, carries the traffic, last handshake .* ago$' "$dir/text"
grep -q '^kill switch: connected, armed$' "$dir/text"
eventually is_metric ginnel_gateway_connected 1
is_metric ginnel_gateway_lock_armed 1
is_metric 'ginnel_gateway_tunnel_active{tunnel="nl"}' 1
is_metric 'ginnel_gateway_tunnel_active{tunnel="se"}' 0
refute grep -q "$key_gw" "$dir/status"

step "names, and the cache"
for _ in 1 2 3; do in_ns member dig +short +time=2 @10.100.0.2 host.test >/dev/null; done
eventually says 0 "d['dns']['queries'] >= 3 and d['dns']['answered_from_cache'] >= 2"
in_ns gw "$GINNEL" gateway status | finds 'answered from the cache'

step "another tunnel takes over"
run_daemon send member python3 "$tests/netns/internet.py" send 203.0.113.1
ip -n nl link del peer-nl
wait_for 30 says 0 "se['active'] and d['failovers'] == 1 and nl['failures'] >= 1 and se['takeovers'] == 1 and nl['state'] == 'failed'"
is_metric ginnel_gateway_failovers_total 1
is_metric 'ginnel_gateway_tunnel_active{tunnel="se"}' 1

step "none answers"
ip -n se link del peer-se
wait_for 60 says 1 "d['state'] == 'connecting'"
eventually is_metric ginnel_gateway_connected 0
stop "$gateway"
says 4

step "an address that is taken"
run_daemon taken gw python3 -m http.server --bind 127.0.0.1 9587
eventually in_ns gw bash -c ': < /dev/tcp/127.0.0.1/9587'
status=0
in_ns gw "$GINNEL" gateway nl --lan to-member --metrics-listen 127.0.0.1:9587 2>"$dir/err" || status=$?
((status == 6)) || fail "status $status: $(<"$dir/err")"
grep -q 'metrics: .*choose another address with --metrics-listen' "$dir/err"
