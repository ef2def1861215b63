# Sourced after lib.sh by the scenarios of `ginnel server`.
# shellcheck shell=bash

#   client 198.51.100.2 ──── router ──── server 192.0.2.1 ──── internet 203.0.113.1
#          2001:db8:c::2              2001:db8:5::1           2001:db8:f::1
# The host behind the uplink has no way back into the tunnel: what reaches it has been translated.
server_topology() {
  link server 203.0.113.2/24,2001:db8:f::2/64 internet 203.0.113.1/24,2001:db8:f::1/64
  link server 192.0.2.1/24,2001:db8:5::1/64 client 192.0.2.2/24,2001:db8:5::2/64
  ip -n server route add default via 203.0.113.1
  ip -n server route add default via 2001:db8:f::1
}

# start_server [FLAGS...]: in namespace server, with the endpoint that clients reach.
start_server() {
  : >"$dir/server.log"  # What an earlier one said is not to be taken for this one's.
  run_daemon server server "$GINNEL" server --endpoint 192.0.2.1 "$@"
  server=$daemon
  eventually grep -q ' ready ' "$dir/server.log"
}

# start_client NS NAME: stock wg-quick and wireguard-go, with the file that the server hands out.
# The interface is NAME. The resolver is left out: there is no resolvconf in here.
start_client() {
  in_ns server "$GINNEL" peer config "$2" | grep -v '^DNS' >"$dir/$2.conf"
  WG_QUICK_USERSPACE_IMPLEMENTATION=wireguard-go WG_I_PREFER_BUGGY_USERSPACE_TO_POLISHED_KMOD=1 \
    in_ns "$1" wg-quick up "$dir/$2.conf" >"$dir/$2-up.log" 2>&1
}
