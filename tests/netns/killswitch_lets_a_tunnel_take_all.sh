#!/usr/bin/env bash
# The lock goes together with a tunnel that takes everything, whichever comes first: it knows the
# tunnel's mark. With --lan-access the local network is reached beside it, but for its DNS; when the
# tunnel goes down, nothing is reached; afterwards the host is as it was.
source "$(dirname "$0")/killswitch_lib.sh"
make_network
address host to-world 192.168.7.2/24
address world to-host 192.168.7.1/24
in_ns world ginnel-dev wg-far
in_ns world wg set wg-far private-key <(echo "$key_b") listen-port 51820 \
  peer "$pub_a" allowed-ips 10.9.0.2/32,fd09::2/128
ip -n world addr add 10.9.0.1/24 dev wg-far
ip -n world link set wg-far up
conf wg0 <<'CONF'
[Interface]
PrivateKey = @A
Address = 10.9.0.2/32, fd09::2/128
[Peer]
PublicKey = @b
AllowedIPs = 0.0.0.0/0, ::/0
Endpoint = 192.0.2.1:51820
CONF
: >/etc/resolv.conf
remember host
asks_local_dns() {
  in_ns host python3 -c '
import socket
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("192.168.7.1", 53))' 2>/dev/null
}

step "the lock first"
killswitch on wg0 --lan-access
armed
reaches host 192.168.7.1
refute asks_local_dns
refute reaches host 198.51.100.1
in_ns host "$GINNEL" up wg0
eventually through_tunnel
eventually armed
reaches host 198.51.100.1

step "down: the lock stays, and nothing is reached"
in_ns host "$GINNEL" down wg0
eventually armed
refute reaches host 198.51.100.1
refute reaches host 192.0.2.1
killswitch off
eventually reaches host 198.51.100.1
check_unchanged host

step "the tunnel first"
in_ns host "$GINNEL" up wg0
eventually through_tunnel
killswitch on wg0
armed
eventually through_tunnel
in_ns host "$GINNEL" down wg0
killswitch off
check_unchanged host
