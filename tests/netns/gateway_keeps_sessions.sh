#!/usr/bin/env bash
# While a TCP stream of a member runs at full speed through a gateway, the lock is loaded anew again and
# again: subnets come and go on the LAN, interfaces appear. The stream goes on, and so does a connection
# in which only the far end speaks; the tunnel makes no new session, and nothing leaves in clear.
source "$(dirname "$0")/gateway_lib.sh"
gateway_topology
two_providers
start_gateway nl se --lan to-member
watch_wire wire 'and not udp port 51820'
run_daemon echo nl python3 "$tests/netns/echo.py" serve 7007
eventually in_ns nl bash -c ': < /dev/tcp/203.0.113.1/7007'
# What is forgotten at the gateway is not let in again before the member has spoken.
: >"$dir/words"
run_daemon speaker nl socat -u "SYSTEM:tail -n +1 -f $dir/words" TCP-LISTEN:7008
eventually in_ns nl bash -c 'ss -ltnH "sport = 7008" | grep :7008'
mkdir "$dir/stream"
eventually reaches_by nl member 203.0.113.1
run_daemon stream member python3 "$tests/netns/echo.py" stream 203.0.113.1 7007 "$dir/stream"
stream=$daemon
run_daemon listener member socat -u TCP:203.0.113.1:7008 "CREATE:$dir/heard"
says() {
  echo "$1" >>"$dir/words"
  eventually grep -qx "$1" "$dir/heard"
}
says hello
bytes() { echo "$((10#$(cat "$dir/stream/bytes" 2>/dev/null || echo 0)))"; }
moved() { (($(bytes) > $1)); }
eventually moved 1000000
handshake() { in_ns gw wg show nl latest-handshakes; }
before=$(handshake)

step "thirty changes"
knows() { in_ns gw nft list chain inet ginnel-lock-host output | finds -F "10.101.$i.0/24"; }
holds() { in_ns gw nft list chain netdev ginnel-lock-host "egress-extra$i" >/dev/null 2>&1; }
for i in {1..30}; do
  case $((i % 3)) in
    0)
      address gw to-member "10.101.$i.1/24"
      eventually knows
      ;;
    1)
      ip -n gw link add "extra$i" type veth peer name "far$i"
      eventually holds
      ;;
    2) ip -n gw link set "extra$((i - 1))" up ;;
  esac
  at=$(bytes)
  eventually moved "$at"
  says "$i"
done
[[ $(handshake) == "$before" ]] || fail "the tunnel has another session"
stream_lost_nothing "$stream"
no_leaks
