#!/usr/bin/env bash
# `ginnel reload` brings peers, addresses, MTU, routes, rules and DNS servers to what the file says,
# while a flow through the tunnel loses nothing and no handshake is made; what fails changes nothing.
#
#   host 192.0.2.2 ──── 192.0.2.1 world
source "$(dirname "$0")/up_lib.sh"
make_host
in_ns world ginnel-dev wg-far
in_ns world wg set wg-far private-key <(echo "$key_b") listen-port 51820 \
  peer "$pub_a" allowed-ips 10.9.0.0/24,fd09::/64
ip -n world addr add 10.9.0.1/24 dev wg-far
ip -n world link set wg-far up
printf 'nameserver 192.0.2.53\n' >/etc/resolv.conf
# write_conf INTERFACE_LINES ALLOWED MORE
write_conf() {
  conf wg0 <<CONF
[Interface]
PrivateKey = @A
Address = 10.9.0.2/24
$1
[Peer]
PublicKey = @b
AllowedIPs = $2
Endpoint = 192.0.2.1:51820
$3
CONF
}
remember host
write_conf "" 10.9.0.0/24 ""
in_ns host "$GINNEL" up wg0
eventually reaches host 10.9.0.1
handshakes() { in_ns world wg show wg-far dump | awk 'NR == 2 { print $5 }'; }
first=$(in_ns host wg show wg0 latest-handshakes)

step "a flow, and reloads beside it"
run_daemon ping host ping -n -i 0.01 -c 300 -W 5 10.9.0.1
flow=$daemon
in_ns host ip route add 10.66.0.0/16 dev wg0 # Not ours: it has to stay.
other=$(wg genkey | wg pubkey)
write_conf $'Address = fd09::2/64\nMTU = 1380\nDNS = 10.9.0.1' "10.9.0.0/24, 10.50.0.0/16, fd50::/48" \
  $'[Peer]\nPublicKey = '"$other"$'\nAllowedIPs = 10.51.0.0/16\nPersistentKeepalive = 7'
in_ns host "$GINNEL" reload wg0
shows host 'dev wg0' ip route get 10.50.0.1
shows host 'dev wg0' ip route get 10.51.0.1
shows host 'dev wg0' ip -6 route get fd50::1
shows host 'mtu 1380' ip addr show dev wg0
shows host 'fd09::2/64' ip addr show dev wg0
grep -qx 'nameserver 10.9.0.1' /etc/resolv.conf
shows host "$other"$'\t7' wg show wg0 persistent-keepalive

step "to everything, and back"
write_conf "" "0.0.0.0/0, ::/0" ""
in_ns host "$GINNEL" reload wg0
shows host 'dev wg0' ip route get 198.51.100.1
shows host 'table 51820' ip route get 10.50.0.1
[[ $(in_ns host wg show wg0 peers) != *"$other"* ]] || fail "a peer stayed"
[[ $(in_ns host wg show wg0 fwmark) == 0xca6c ]]
grep -qx 'nameserver 192.0.2.53' /etc/resolv.conf
rules=$(in_ns host ip rule)
in_ns host "$GINNEL" reload wg0
[[ $(in_ns host ip rule) == "$rules" ]] || fail "a reload of nothing changed the rules"

step "a reload that fails changes nothing"
in_ns host ip route add 10.77.0.0/16 via 192.0.2.1
host_state host >"$dir/failed.before"
in_ns host wg showconf wg0 >"$dir/conf.before"
write_conf "" "10.9.0.0/24, 10.77.0.0/16, 10.78.0.0/16" ""
refute in_ns host "$GINNEL" reload wg0 2>/dev/null
write_conf "" "10.9.0.0/24, 10.78.0.0/99" ""
refute in_ns host "$GINNEL" reload wg0 2>/dev/null
host_state host >"$dir/failed.after"
unchanged failed
in_ns host wg showconf wg0 | diff "$dir/conf.before" -
in_ns host ip route del 10.77.0.0/16

step "a file without peers"
printf '[Interface]\nPrivateKey = %s\nAddress = 10.9.0.2/24\n' "$key_a" >/etc/wireguard/wg0.conf
status=0
in_ns host "$GINNEL" reload wg0 2>"$dir/said" || status=$?
((status == 6)) || fail "status $status"
grep -q -- '--confirm-removal removes them' "$dir/said"

step "the flow lost nothing, and needed one handshake"
write_conf "" 10.9.0.0/24 ""
in_ns host "$GINNEL" reload wg0
eventually gone "$flow"
wait "$flow" || true
grep -q ' 0% packet loss' "$dir/ping.log" || fail "$(tail -3 "$dir/ping.log")"
[[ $(in_ns host wg show wg0 latest-handshakes) == "$first" ]] || fail "another handshake was made"
shows host wg0 ip route show 10.66.0.0/16

step "reloads under flows that fill the tunnel"
# Whatever came in between them would end them: iperf3 fails when one of its connections is reset.
run_daemon iperf world iperf3 -s -1
listens() { in_ns world ss -Hltn 'sport = 5201' | finds LISTEN; }
flows() { in_ns host ss -Htn state established 'dport = 5201' | finds 5201; }
eventually listens
run_daemon fill host iperf3 -c 10.9.0.1 -t 4 -P 4
fill=$daemon
eventually flows
reloads=0
while running "$fill"; do
  write_conf "Address = fd09::2/64" "0.0.0.0/0, ::/0" ""
  in_ns host "$GINNEL" reload wg0
  write_conf "" 10.9.0.0/24 ""
  in_ns host "$GINNEL" reload wg0
  reloads=$((reloads + 2))
done
wait "$fill" || fail "a connection was lost after $reloads reloads: $(tail -3 "$dir/fill.log")"
((reloads >= 4)) || fail "only $reloads reloads"
[[ $(in_ns host wg show wg0 latest-handshakes) == "$first" ]] || fail "another handshake was made"

step "and down"
in_ns host "$GINNEL" down wg0
check_unchanged host
