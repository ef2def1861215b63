#!/usr/bin/env bash
# A gateway whose files are read again, on SIGHUP or by `ginnel gateway reload`, works by them: endpoint,
# addresses, keys, DNS and the rest. A stream at full speed loses nothing meanwhile, tunnels whose
# files say the same keep their session, and in clear nothing leaves. A wrong file is one line, and
# nothing is changed.
source "$(dirname "$0")/gateway_lib.sh"
gateway_topology
two_providers
address nl to-router 198.51.100.7/24
in_ns nl wg set peer-nl peer "$pub_gw" allowed-ips 10.2.0.2/31,fd02::2/128
ip -n nl route add 10.2.0.3/32 dev peer-nl
run_daemon names nl dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --user=root \
  --pid-file= --bind-interfaces --listen-address=10.2.0.1 --except-interface=lo --address=/nl.example/198.51.100.1
status=0
in_ns gw "$GINNEL" gateway reload 2>"$dir/err" || status=$?
((status == 4)) || fail "no gateway: status $status: $(<"$dir/err")"
start_gateway nl se --lan to-member
watch_wire
run_daemon echo nl python3 "$tests/netns/echo.py" serve 7007
eventually in_ns nl bash -c ': < /dev/tcp/203.0.113.1/7007'
eventually reaches_by nl member 203.0.113.1
mkdir "$dir/stream"
run_daemon stream member python3 "$tests/netns/echo.py" stream 203.0.113.1 7007 "$dir/stream"
stream=$daemon
bytes() { echo "$((10#$(cat "$dir/stream/bytes" 2>/dev/null || echo 0)))"; }
moved() { (($(bytes) > $1)); }
goes_on() {
  local at
  at=$(bytes)
  eventually moved "$at"
}
eventually moved 1000000

file() { echo "/etc/wireguard/$1.conf"; }
# edit NAME SED...; reload TEXT: which it says.
edit() { sed -i "${@:2}" "$(file "$1")"; }
reload() {
  in_ns gw "$GINNEL" gateway reload >"$dir/reloaded"
  [[ $(<"$dir/reloaded") == "$1" ]] || fail "$(<"$dir/reloaded")"
}
handshake() { in_ns gw wg show "$1" latest-handshakes; }

step "what does not touch a session"
before=$(handshake nl)
reload 'nothing had changed'
for i in {1..10}; do
  edit nl "s/^AllowedIPs.*/&\nPersistentKeepalive = $((i + 20))/;/^PersistentKeepalive/d"
  edit nl "s/^DNS.*/DNS = 10.2.0.1\nMTU = $((1300 + i))/;/^MTU/d"
  edit se "s/^Address.*/Address = 10.3.0.$((i + 2))\/32/"
  if ((i == 1)); then
    reload $'nl changed: MTU, PersistentKeepalive\nse changed: Address'
  else
    in_ns gw "$GINNEL" gateway reload >"$dir/reloaded"
  fi
  goes_on
done
[[ $(handshake nl) == "$before" ]] || fail "the tunnel has another session"
[[ $(in_ns gw cat /sys/class/net/nl/mtu) == 1310 ]]
[[ $(in_ns gw wg show nl persistent-keepalive) == *$'\t30' ]]
in_ns gw ip -4 -o addr show dev se | finds 10.3.0.12/32
in_ns gw ip -4 -o addr show dev se >"$dir/addresses"
[[ $(wc -l <"$dir/addresses") == 1 ]] || fail "$(<"$dir/addresses")"

step "another endpoint"
edit nl 's/^Endpoint.*/Endpoint = 198.51.100.7:51820/'
reload 'nl changed: Endpoint'
[[ $(in_ns gw wg show nl endpoints) == *198.51.100.7:51820 ]]
goes_on
in_ns gw "$GINNEL" killswitch status --json | finds '"endpoints":\["198.51.100.7:51820","198.51.101.1:51820"\]'

step "by name, which is looked up through the tunnel; by SIGHUP"
edit nl 's/^Endpoint.*/Endpoint = nl.example:51820/'
kill -HUP "$gateway"
both_reloaded() { [[ $(grep -c 'reloaded changed=nl:Endpoint$' "$dir/gateway.log") == 2 ]]; }
eventually both_reloaded
at_name() { [[ $(in_ns gw wg show nl endpoints) == *198.51.100.1:51820 ]]; }
eventually at_name
goes_on

step "wrong files"
state() {
  in_ns gw ip -4 route show table all
  in_ns gw ip rule show
  in_ns gw ip -o addr show
  in_ns gw wg showconf nl
  in_ns gw wg showconf se
  in_ns gw nft --stateless list ruleset
}
cp "$(file nl)" "$dir/good"
# refused CODE TEXT SED: the lock, the tunnels and the routes are what they were.
refused() {
  cp "$dir/good" "$(file nl)"
  edit nl "$3"
  state >"$dir/before"
  status=0
  in_ns gw "$GINNEL" gateway reload 2>"$dir/err" || status=$?
  ((status == $1)) || fail "$3: status $status: $(<"$dir/err")"
  [[ $(<"$dir/err") == "gateway reload: "*"$2"* && $(wc -l <"$dir/err") == 1 ]] || fail "$3: $(<"$dir/err")"
  state >"$dir/after"
  diff "$dir/before" "$dir/after" || fail "$3: something was changed"
  goes_on
}
refused 2 'nl.conf:3: Address: ' 's/^Address.*/Address = 10.2.0.300/'
refused 2 'nl.conf:10: Endpoint: ' 's/^Endpoint.*/Endpoint = 198.51.100.1/'
refused 2 'AllowedIPs: a gateway sends everything' 's/^AllowedIPs.*/AllowedIPs = 10.0.0.0\/8/'
refused 6 'lies in 10.100.0.0/24' 's/^DNS.*/DNS = 10.100.0.77/'
refused 4 'nl.conf:10: Endpoint: look up nobody.example' 's/^Endpoint.*/Endpoint = nobody.example:51820/'
rm "$(file nl)"
kill -HUP "$gateway"
eventually grep -q 'reload: nothing was changed: .*nl.conf: there is no such file' "$dir/gateway.log"
cp "$dir/good" "$(file nl)"
reload 'nothing had changed'

step "the stream has lost nothing"
stream_lost_nothing "$stream"
no_leaks

step "another address"
capture provider nl peer-nl 'tcp dst port 80 and tcp[tcpflags] == tcp-syn'
edit nl 's/^Address.*/Address = 10.2.0.3\/32/'
reload 'nl changed: Address'
eventually reaches_by nl member 203.0.113.1
eventually reaches_by nl gw 203.0.113.1
eventually captured provider 'src host 10.2.0.3'
(($(count provider 'src host 10.2.0.2') == 0)) || fail "the former address was used"
in_ns gw ip route show table 1000 | finds '^default dev nl'

step "another key"
key=$(wg genkey)
in_ns nl wg set peer-nl peer "$pub_gw" remove peer "$(wg pubkey <<<"$key")" allowed-ips 10.2.0.3/32
edit nl "s|^PrivateKey.*|PrivateKey = $key|"
reload 'nl changed: PrivateKey'
eventually reaches_by nl member 203.0.113.1
no_leaks
