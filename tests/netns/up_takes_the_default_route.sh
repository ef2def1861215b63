#!/usr/bin/env bash
# A tunnel of both families that takes everything carries the host's traffic, its own datagrams get
# out beside it, and `down` leaves the host exactly as it was before `up`.
#
#   host 192.0.2.2 ──── 192.0.2.1 world, where 198.51.100.1 is reachable through the tunnel only
source "$(dirname "$0")/up_lib.sh"
make_host
in_ns world ginnel-dev wg-far
in_ns world wg set wg-far private-key <(echo "$key_b") listen-port 51820 \
  peer "$pub_a" allowed-ips 10.9.0.2/32,fd09::2/128
ip -n world addr add 10.9.0.1/24 dev wg-far
ip -n world addr add fd09::1/64 dev wg-far
ip -n world link set wg-far up
in_ns host sysctl -qw net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.to-world.rp_filter=1
printf 'nameserver 192.0.2.53\n' >/etc/resolv.conf
conf wg0 <<'CONF'
[Interface]
PrivateKey = @A
Address = 10.9.0.2/32, fd09::2/128
DNS = 10.9.0.1, home.example
[Peer]
PublicKey = @b
AllowedIPs = 0.0.0.0/0, ::/0
Endpoint = 192.0.2.1:51820
CONF
remember host

step "up"
in_ns host "$GINNEL" up wg0
eventually reaches host 10.9.0.1
eventually reaches host fd09::1
reaches host 198.51.100.1
shows host 'dev wg0' ip route get 198.51.100.1
shows host 'dev wg0' ip -6 route get 2001:db8:9::1
shows host 'dev to-world' ip route get 192.0.2.1 mark 51820
[[ $(in_ns host wg show wg0 fwmark) == 0xca6c ]]
[[ $(in_ns host sysctl -n net.ipv4.conf.all.src_valid_mark) == 1 ]]
shows host 'comment "ginnel:up:wg0"' nft list table inet ginnel-up-wg0
grep -qx 'nameserver 10.9.0.1' /etc/resolv.conf
grep -qx 'search home.example' /etc/resolv.conf

step "twice is refused, and changes nothing"
host_state host >"$dir/up.before"
status=0
in_ns host "$GINNEL" up wg0 2>"$dir/twice" || status=$?
((status == 6)) || fail "status $status"
grep '"ginnel down wg0" takes it down' "$dir/twice"
host_state host >"$dir/up.after"
unchanged up
reaches host 198.51.100.1

step "down"
in_ns host "$GINNEL" down wg0
check_unchanged host
refute in_ns host "$GINNEL" down wg0

step "up again at once, and down"
in_ns host "$GINNEL" up wg0
eventually reaches host 198.51.100.1
in_ns host "$GINNEL" down /etc/wireguard/wg0.conf
check_unchanged host
