#!/usr/bin/env bash
# `ginnel peer add`, `disable`, `enable`, `remove` and `server reload` change one client; the
# session and the TCP connection of another go on, and loses nothing.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/server_lib.sh"

is_cut_off() { ! reaches other 203.0.113.1; }
unharmed() {
  goes_on tcp
  goes_on icmp
  [[ $(of_peer first '"\(.last_handshake) \(.handshakes)"') == "$session" ]] || fail "a new session"
}

step "a client with traffic"
server_topology
client_host other 1
serve_echo internet
start_server
start_client client first
eventually reaches client 203.0.113.1
echoes tcp client 203.0.113.1
ticks icmp client 2001:db8:f::1
goes_on tcp && goes_on icmp
session=$(of_peer first '"\(.last_handshake) \(.handshakes)"')

step "add another, which comes online"
manage peer add anna >"$dir/add.log"
start_client other anna
eventually reaches other 203.0.113.1
eventually reaches other 2001:db8:f::1
unharmed

step "disable it: out at once, its address kept"
address=$(of_peer anna '.addresses[0]')
manage peer disable anna
eventually is_cut_off
[[ $(of_peer anna '"\(.enabled) \(.addresses[0])"') == "false $address" ]]
manage peer add bert >"$dir/add2.log"
[[ $(of_peer bert '.addresses[0]') != "$address" ]] || fail "its address was given away"
unharmed

step "enable it: in again at once, because the server calls it"
manage peer enable anna
eventually reaches other 203.0.113.1
unharmed

step "a reload after an edit by hand"
printf '[server]\ndns = ["9.9.9.9"]\n' >/etc/ginnel/server.toml
echo 'persistent_keepalive = 7' >>/etc/ginnel/peers.d/bert.toml
manage server reload | finds 'settings changed: dns'
echo 'persistent_keepalive = 9' >>/etc/ginnel/peers.d/bert.toml
sed -i '/keepalive = 7/d' /etc/ginnel/peers.d/bert.toml
kill -HUP "$server"
eventually grep -q 'info reloaded' "$dir/server.log"
manage peer config bert | finds -x 'PersistentKeepalive = 9'
unharmed

step "remove it: gone, and its address free"
manage peer remove anna
eventually is_cut_off
[[ ! -e /etc/ginnel/peers.d/anna.toml ]] || fail "the file is left"
manage peer add dora >"$dir/add3.log"
[[ $(of_peer dora '.addresses[0]') == "$address" ]] || fail "its address is not free"
unharmed

step "not one answer is missing"
# Of the numbers of the pings, in order.
sed -n 's/.*icmp_seq=\([0-9]*\) .*/\1/p' "$dir/icmp.log" >"$dir/numbers"
seq "$(wc -l <"$dir/numbers")" | diff - "$dir/numbers" || fail "pings were lost"
