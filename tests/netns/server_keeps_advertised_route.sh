#!/usr/bin/env bash
# A host whose IPv6 default route comes from router advertisements (radvd) keeps it while `ginnel
# server` forwards, and after its end; clients go out that way, and advertisements go on being
# taken.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/server_lib.sh"

routes() { in_ns server ip -6 route show default proto ra; }
has_route() { [[ $(routes) == *'via fe80:'*' dev to-internet '* ]]; }
lifetime() { routes | sed -n 's/.*expires \([0-9]*\)sec.*/\1/p'; }
# The timer is as after a new advertisement, not merely running down.
is_refreshed() { (($(lifetime) > $1)); }
has_public_address() { [[ $(ip -n server -6 addr show dev to-internet) == *2001:db8:f:* ]]; }

step "a router that advertises itself"
link server 203.0.113.2/24 internet 203.0.113.1/24,2001:db8:f::1/64
link server 192.0.2.1/24 client 192.0.2.2/24
ip -n server route add default via 203.0.113.1
advertise() {
  printf 'interface to-server {
    AdvSendAdvert on; MinRtrAdvInterval 3; MaxRtrAdvInterval 4; AdvDefaultLifetime %s;
    prefix 2001:db8:f::/64 {};
  };\n' "$1" >"$dir/radvd.conf"
  in_ns internet sysctl -qw net.ipv6.conf.all.forwarding=1
  run_daemon radvd internet radvd -n -C "$dir/radvd.conf" -p "$dir/radvd.pid"
  radvd=$daemon
}
advertise 1000
wait_for 30 has_route
wait_for 30 has_public_address
in_ns server sysctl net.ipv6.conf.to-internet.accept_ra net.ipv6.conf.all.forwarding >"$dir/before"

step "while the server runs"
start_server
has_route || fail "the route is gone: $(in_ns server ip -6 route)"
[[ $(in_ns server sysctl -n net.ipv6.conf.all.forwarding) == 1 ]]
start_client client first
eventually reaches client 2001:db8:f::1
[[ $(of_server .uplink_ipv6) == to-internet ]]

step "new advertisements count"
stop "$radvd"
advertise 2000
wait_for 30 is_refreshed 1500

step "after its end"
stop "$server"
has_route || fail "the route is gone: $(in_ns server ip -6 route)"
in_ns server sysctl net.ipv6.conf.to-internet.accept_ra net.ipv6.conf.all.forwarding |
  diff "$dir/before" -
stop "$radvd"
advertise 3000
wait_for 30 is_refreshed 2500
