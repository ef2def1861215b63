#!/usr/bin/env bash
# An uplink that is plugged in while `ginnel server` forwards, and has its IPv6 default route from
# router advertisements alone (radvd): the server takes that route, though a forwarding host hears
# no routers by itself, and sends its clients that way.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/server_lib.sh"

step "a host without any way out over IPv6"
link server 192.0.2.1/24 client 192.0.2.2/24
[[ $(in_ns server sysctl -n net.ipv6.conf.default.accept_ra) == 1 ]]
start_server
[[ $(of_server .uplink_ipv6) == null ]]
[[ $(in_ns server sysctl -n net.ipv6.conf.all.forwarding) == 1 ]]
start_client client first

step "an uplink appears, behind which a router advertises itself"
link server 203.0.113.2/24 internet 203.0.113.1/24,2001:db8:f::1/64
in_ns internet sysctl -qw net.ipv6.conf.all.forwarding=1
printf 'interface to-server {
  AdvSendAdvert on; MinRtrAdvInterval 3; MaxRtrAdvInterval 4; AdvDefaultLifetime 1000;
  prefix 2001:db8:f::/64 {};
};\n' >"$dir/radvd.conf"
run_daemon radvd internet radvd -n -C "$dir/radvd.conf" -p "$dir/radvd.pid"
is_followed() { [[ $(of_server .uplink_ipv6) == to-internet ]]; }
wait_for 40 is_followed
wait_for 30 reaches client 2001:db8:f::1

step "its end"
stop "$server"
((status == 0)) || fail "exit code $status"
[[ $(in_ns server sysctl -n net.ipv6.conf.to-internet.accept_ra) == 1 ]]
[[ $(in_ns server sysctl -n net.ipv6.conf.all.forwarding) == 0 ]]
