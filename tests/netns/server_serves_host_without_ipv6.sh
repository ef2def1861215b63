#!/usr/bin/env bash
# On a host that has switched IPv6 off, `ginnel server` runs with no configuration and carries IPv4;
# clients have IPv6 as far as the server. The host's settings stay.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/server_lib.sh"

step "a host without IPv6"
server_topology
in_ns server sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
host_state >"$dir/before"

step "a client gets out over IPv4, and nothing of it leaves another way"
start_server
start_client client first
eventually reaches client 203.0.113.1
grep -q '^AllowedIPs = 0.0.0.0/0, ::/0$' "$dir/first.conf"
reaches client "$(of_server '.addresses[1]')" || fail "no IPv6 inside"
refute reaches client 2001:db8:f::1
[[ $(of_server '"\(.state) \(.uplink_ipv6)"') == 'online null' ]]
in_ns client wg-quick down "$dir/first.conf" >"$dir/down.log" 2>&1
stop "$server"
host_state | diff "$dir/before" -

step "a kernel that does not know it at all"
# shellcheck disable=SC2016  # Expanded by the shell in there.
run_daemon server server bash -c 'mount -t tmpfs tmpfs /proc/sys/net/ipv6
  exec "$0" server --endpoint 192.0.2.1' "$GINNEL"
server=$daemon
is_online() { [[ $(of_server .state) == online ]]; }
eventually is_online
start_client client first
eventually reaches client 203.0.113.1
[[ $(ip -n server -6 addr show dev wg0) != *'inet6 fd'* ]] || fail "it has an IPv6 address"
stop "$server"
((status == 0)) || fail "exit code $status"
