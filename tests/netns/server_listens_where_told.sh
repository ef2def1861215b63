#!/usr/bin/env bash
# `--listen 0.0.0.0:PORT` of `ginnel server` is every address of both families, a specific address
# is that one only, and clients get in over IPv6 as they do over IPv4.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/server_lib.sh"

# The addresses of UDP sockets on a port, without what other tools hold.
listening() { in_ns server ss -Hlun "sport = :$1" | awk '{ print $4 }' | sort -u | xargs; }

step "every address"
server_topology
start_server --listen 0.0.0.0:4500
[[ $(listening 4500) == '0.0.0.0:4500 [::]:4500' ]] || fail "listens on: $(listening 4500)"
[[ $(of_server .listen_address) == null ]]
start_client client first
eventually reaches client 203.0.113.1
key=$(of_server .public_key)
works_over_ipv6() {
  in_ns client wg set first peer "$key" endpoint '[2001:db8:5::1]:4500'
  reaches client 203.0.113.1 && [[ $(of_peer first .endpoint) == '[2001:db8:5::2]:'* ]]
}
eventually works_over_ipv6
in_ns client wg-quick down "$dir/first.conf" >"$dir/down.log" 2>&1
stop "$server"

step "one address"
for address in 192.0.2.1 '[2001:db8:5::1]'; do
  start_server --listen "$address:4500" --endpoint "$address"
  [[ $(listening 4500) == "$address:4500" ]] || fail "listens on: $(listening 4500)"
  start_client client first
  grep -q "^Endpoint = .*:4500" "$dir/first.conf"
  eventually reaches client 203.0.113.1
  in_ns client wg-quick down "$dir/first.conf" >"$dir/down.log" 2>&1
  stop "$server"
done
