#!/usr/bin/env bash
# `ginnel server` does its whole work as a user with CAP_NET_ADMIN and CAP_NET_BIND_SERVICE and
# nothing else, on a port below 1024, and leaves the host as it was.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/server_lib.sh"

# As a systemd unit with User= and AmbientCapabilities= runs it.
two=-all,+net_admin,+net_bind_service
user=(setpriv --reuid 65534 --regid 65534 --clear-groups --no-new-privs --bounding-set "$two"
  --inh-caps "$two" --ambient-caps "$two")

step "a user's directory, and nothing else that it may write"
server_topology
install -d -o 65534 -g 65534 -m 700 "$dir/home"
chmod 711 "$dir"
mknod -m 666 "$dir/tun" c 10 200  # As udev has it everywhere; a container's own may differ.
mount --bind "$dir/tun" /dev/net/tun
host_state >"$dir/before"
run_daemon server server env HOME="$dir/home" "${user[@]}" "$GINNEL" server \
  --endpoint 192.0.2.1 --listen 443
server=$daemon
eventually grep -q ' ready ' "$dir/server.log"
# Only root can make the directory of its socket.
grep -q 'warning "wg show" will not see this server' "$dir/server.log"
as_user() { in_ns server env HOME="$dir/home" "${user[@]}" "$GINNEL" "$@"; }

step "a client"
as_user peer config first | grep -v '^DNS' >"$dir/first.conf"
stock_up client "$dir/first.conf"
eventually reaches client 203.0.113.1
eventually reaches client 2001:db8:f::1

step "live changes"
as_user peer add anna
as_user peer disable anna
as_user server status

step "its end"
stop "$server"
((status == 0)) || fail "exit code $status: $(cat "$dir/server.log")"
host_state | diff "$dir/before" -
