#!/usr/bin/env bash
# Several cages run at once, of one file and of two, with an endpoint given by name, over IPv6, with
# an MTU of the file's, and with a port that a tunnel on the host has too.
source "$(dirname "$0")/cage_lib.sh"
make_world
key_second=$(wg genkey)
in_ns world wg set wg0 peer "$(wg pubkey <<<"$key_second")" allowed-ips 10.9.0.3/32
echo '2001:db8::1 vpn.example' >>/etc/hosts
conf second vpn.example:51820 <<<$'MTU = 1300\nListenPort = 51820\nFwMark = 0x8888'
sed -i "s|^PrivateKey.*|PrivateKey = $key_second|; s|^Address.*|Address = 10.9.0.3/24|" \
  "$own/second.conf"
second() { as_user "$GINNEL" cage "$own/second.conf" -- "$@"; }

cage bash -c "touch $own/first; exec sleep 1000" &
eventually test -e "$own/first"
second bash -c "touch $own/second; exec sleep 1000" &
eventually test -e "$own/second"
cage ip -o link show tun0 >&2
eventually second ping -c 1 -W 2 10.9.0.1
second ip -o link show second | finds 'mtu 1300' || fail "another MTU"
[[ -z $(second ip -6 route show default) ]] || fail "an IPv6 route without an IPv6 address"
in_ns world wg show wg0 endpoints | finds -F '[2001:db8::2]' || fail "not over IPv6"
