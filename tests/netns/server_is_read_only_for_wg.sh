#!/usr/bin/env bash
# Stock `wg show` works on the interface of `ginnel server`; `wg set` is refused with EPERM and the
# verb to use, and changes nothing.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/server_lib.sh"

dump() { in_ns server wg show wg0 dump | cut -f 1-4,8; }

step "a server with a client that has a session"
server_topology
start_server
start_client client first
eventually reaches client 203.0.113.1
key=$(of_peer first .public_key)

step "wg show"
in_ns server wg show >"$dir/show"
for line in 'interface: wg0' "public key: $(of_server .public_key)" 'listening port: 51820' \
  "peer: $key" 'allowed ips: 10.200.100.2/32' 'latest handshake' 'transfer'; do
  grep -qF "$line" "$dir/show" || fail "no \"$line\" in: $(cat "$dir/show")"
done
[[ $(in_ns server wg show wg0 endpoints | cut -f 2) == "$(of_peer first .endpoint)" ]]

step "wg set is refused"
dump >"$dir/before"
for change in 'listen-port 4444' "peer $key remove" "peer $key allowed-ips 0.0.0.0/0" 'fwmark 7'; do
  # shellcheck disable=SC2086  # Several words.
  if in_ns server wg set wg0 $change 2>"$dir/err"; then fail "accepted: $change"; fi
  grep -q 'Operation not permitted' "$dir/err" || fail "$(cat "$dir/err")"
done
dump | diff "$dir/before" -
eventually grep -q 'warning .*ginnel peer' "$dir/server.log"
reaches client 203.0.113.1 || fail "the client lost its way"
