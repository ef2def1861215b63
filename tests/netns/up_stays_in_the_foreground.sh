#!/usr/bin/env bash
# `ginnel up --foreground` tells systemd when the tunnel stands, finds a server again whose name moved
# to another address, takes over what a killed one left, and takes the tunnel down when it is asked
# to stop, or when somebody deleted the interface. `reload --endpoints` looks names up once.
#
#   host 192.0.2.2 ──── 192.0.2.1 world
source "$(dirname "$0")/up_lib.sh"
make_host
in_ns world ginnel-dev wg-far
in_ns world wg set wg-far private-key <(echo "$key_b") listen-port 51820 \
  peer "$pub_a" allowed-ips 10.9.0.2/32
ip -n world addr add 10.9.0.1/24 dev wg-far
ip -n world link set wg-far up
cp /etc/hosts "$dir/hosts"
server_is() { { cat "$dir/hosts"; printf '%s server.example\n' "$@"; } >/etc/hosts; }
mkfifo "$dir/go"
conf wg0 <<CONF
[Interface]
PrivateKey = @A
Address = 10.9.0.2/24
PostUp = test -z "\$NOTIFY_SOCKET"; touch $dir/waits; read -r line <$dir/go
PreDown = ip link show %i >$dir/predown
PostDown = touch $dir/postdown
[Peer]
PublicKey = @b
AllowedIPs = 10.9.0.0/24
Endpoint = server.example:51820
CONF
socat -u "UNIX-RECV:$dir/notify" STDOUT >"$dir/told" &
eventually test -S "$dir/notify"
told() { grep -qx "$1" <(tr '\0' '\n' <"$dir/told" | sed 's/READY=1/&\n/g; s/STOPPING=1/&\n/g'); }
start_stay() {
  : >"$dir/told"
  rm -f "$dir/waits"
  run_daemon stay host env NOTIFY_SOCKET="$dir/notify" "$GINNEL" up --foreground wg0
  stay=$daemon
}
start_fresh() {
  start_stay
  eventually test -e "$dir/waits"
  refute told READY=1
  echo >"$dir/go"
  eventually told READY=1
}
ended() { # ended STATUS
  local status=0
  eventually gone "$stay"
  wait "$stay" || status=$?
  ((status == $1)) || fail "ended with $status, not $1: $(<"$dir/stay.log")"
}
endpoint() { in_ns host wg show wg0 endpoints | cut -f 2; }
remember host

step "ready when it stands"
server_is 198.51.100.9
start_fresh
[[ $(endpoint) == 198.51.100.9:51820 ]]

step "the server's name moves"
refute reaches host 10.9.0.1
server_is 192.0.2.1
run_daemon ping host ping -n -i 0.2 10.9.0.1
wait_for 60 reaches host 10.9.0.1
[[ $(endpoint) == 192.0.2.1:51820 ]]
session=$(in_ns host wg show wg0 latest-handshakes)

step "killed, and taken over"
kill -9 "$stay"
eventually gone "$stay"
reaches host 10.9.0.1
start_stay
eventually told READY=1
reaches host 10.9.0.1
[[ $(in_ns host wg show wg0 latest-handshakes) == "$session" ]] || fail "the session was lost"

step "a peer that answers is left where it is"
server_is 198.51.100.9
in_ns host "$GINNEL" reload --endpoints wg0
[[ $(endpoint) == 192.0.2.1:51820 ]]

step "asked to stop"
rm -f "$dir/predown" "$dir/postdown"
kill -TERM "$stay"
ended 0
told STOPPING=1
grep -q wg0 "$dir/predown"
[[ -e $dir/postdown ]]
check_unchanged host

step "killed while it comes up"
start_stay
eventually test -e "$dir/waits"
kill -9 "$stay"
eventually gone "$stay"
echo >"$dir/go" # Lets the command go, whose parent is dead.
start_fresh

step "taken down by another command"
in_ns host "$GINNEL" down wg0
ended 0
check_unchanged host

step "the interface is deleted"
start_fresh
sed -i '/^PreDown/d' /etc/wireguard/wg0.conf
ip -n host link del wg0
ended 1
grep -q 'interface wg0 was deleted or renamed by another program' "$dir/stay.log"
check_unchanged host

step "its terminal goes away"
sed -i '/^PostUp/d' /etc/wireguard/wg0.conf
run_daemon stay host "$GINNEL" up --foreground wg0
stay=$daemon
eventually grep -rq $'risen\t1' /run/ginnel
rm -f "$dir/postdown"
kill -HUP "$stay"
ended 0
[[ -e $dir/postdown ]]
check_unchanged host

step "once, on a tunnel of another program"
sed -i '/^PostUp/d; /^PostDown/d' /etc/wireguard/wg0.conf
in_ns host ginnel-dev wg0
in_ns host wg setconf wg0 <("$GINNEL" strip wg0)
[[ $(endpoint) == 198.51.100.9:51820 ]]
server_is 192.0.2.1
in_ns host "$GINNEL" reload --endpoints wg0
[[ $(endpoint) == 192.0.2.1:51820 ]]
server_is
status=0
in_ns host "$GINNEL" reload --endpoints wg0 2>"$dir/said" || status=$?
((status == 4)) || fail "status $status: $(<"$dir/said")"
grep -q 'wg0.conf:7: Endpoint: look up server.example' "$dir/said" || fail "$(<"$dir/said")"
