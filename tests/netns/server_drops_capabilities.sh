#!/usr/bin/env bash
# A server that root started runs with CAP_NET_ADMIN and CAP_NET_BIND_SERVICE and nothing else, in
# every thread, serves, takes changes, and still puts everything back; over files of somebody else
# it keeps what it takes to edit those.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/server_lib.sh"

net_bind_service=$((1 << 10)) net_admin=$((1 << 12)) dac_override=$((1 << 1)) chown=1
# has_only PID MASK: all capability sets of all threads, and that none comes back.
has_only() {
  local task set
  for task in "/proc/$1/task/"*; do
    for set in CapPrm CapEff CapBnd; do
      (($((16#$(sed -n "s/^$set:\t//p" "$task/status"))) == $2)) ||
        fail "$set of ${task##*/}: $(grep ^Cap "$task/status")"
    done
    for set in CapInh CapAmb; do
      (($((16#$(sed -n "s/^$set:\t//p" "$task/status"))) == 0)) || fail "$set of ${task##*/}"
    done
    [[ $(sed -n 's/^NoNewPrivs:\t//p' "$task/status") == 1 ]] || fail "${task##*/} may get more"
  done
}

step "over its own files"
server_topology
host_state >"$dir/before"
printf '[server]\nlisten_addr = ":443"\n' >/etc/ginnel/server.toml
start_server
has_only "$server" $((net_admin | net_bind_service))
start_client client first
eventually reaches client 203.0.113.1
eventually reaches client 2001:db8:f::1

step "changes that need privileges"
manage peer add anna
sed -i 's/443/442/' /etc/ginnel/server.toml
manage server reload
[[ $(of_server .listen_port) == 442 ]] || fail "the port did not change"
stop "$server"
((status == 0)) || fail "exit code $status"
host_state | diff "$dir/before" -

step "over somebody's files, in a home that is closed to others"
install -d -o 65534 -g 65534 -m 700 "$dir/theirs" "$dir/theirs/vpn"
start_server --state-dir "$dir/theirs/vpn" --listen 443
has_only "$server" $((net_admin | net_bind_service | dac_override | chown))
printf '[server]\nmtu = 1400\n' >"$dir/theirs/vpn/server.toml"
chown 65534:65534 "$dir/theirs/vpn/server.toml" "$dir/theirs/vpn/peers.d/first.toml"
manage server reload --state-dir "$dir/theirs/vpn"
manage peer forget-key first --state-dir "$dir/theirs/vpn"
[[ $(stat -c %u "$dir/theirs/vpn/peers.d/first.toml") == 65534 ]] || fail "its owner changed"
stop "$server"
((status == 0)) || fail "exit code $status"
host_state | diff "$dir/before" -
