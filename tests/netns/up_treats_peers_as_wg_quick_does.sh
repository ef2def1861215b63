#!/usr/bin/env bash
# Endpoints, keys and commands of a file are treated by `ginnel up` as by stock wg-quick with
# `ginnel dev`. Cases that say `newer` are as wg-quick does since it makes the interface before PreUp
# and leaves '#' in commands alone; Debian 12's does not yet.
source "$(dirname "$0")/up_lib.sh"
make_twins

I=$'[Interface]\nPrivateKey = @A\nAddress = 10.7.0.2/24, fd07::2/64\n'
P=$'[Peer]\nPublicKey = @b\n'
case_of() { same "$1" "$2" "${4:-}" <<<"$3"; }

case_of accepted "endpoint" "$I$P"$'Endpoint = 192.0.2.9:51820\n'
case_of accepted "endpoint, IPv6" "$I$P"$'Endpoint = [2001:db8::9]:51820\n'
case_of accepted "endpoint, IPv6 without brackets" "$I$P"$'Endpoint = 2001:db8::9:51820\n'
case_of accepted "endpoint by name" "$I$P"$'Endpoint = localhost:51820\n'
case_of accepted "endpoint, port by name" "$I$P"$'Endpoint = 192.0.2.9:tftp\n'
case_of refused "endpoint without a port" "$I$P"$'Endpoint = 192.0.2.9\n'
case_of refused "endpoint without a host" "$I$P"$'Endpoint = :51820\n'
case_of refused "endpoint of no name" "$I$P"$'Endpoint = no.such.host.invalid:51820\n'
case_of accepted "keepalive" "$I$P"$'PersistentKeepalive = 25\n'
case_of accepted "keepalive off" "$I$P"$'PersistentKeepalive = Off\n'
case_of refused "keepalive, too long" "$I$P"$'PersistentKeepalive = 65536\n'
case_of accepted "preshared key" "$I$P"$'PresharedKey = @B\n'
case_of refused "preshared key, wrong" "$I$P"$'PresharedKey = @B=\n'

case_of accepted "hooks" "$I"$'PreUp = wg set %i listen-port 51997\nListenPort = 51997\nPostUp = ip route add 10.99.0.0/16 dev %i # x\nPreDown = ip route del 10.99.0.0/16 dev %i\nPostDown = true\n' newer
case_of accepted "hook with a hash and an equals sign" "$I"$'PostUp = [ "a#b=c" = "a#b=c" ] && ip link set %i alias "%i #1"\n' newer
case_of accepted "commands, each kind" "$I"$'PreUp = true\nPostUp = ip route add 10.99.0.0/16 dev %i\nPreDown = ip route del 10.99.0.0/16 dev %i\nPostDown = true\n'
case_of refused "hook that fails" "$I"$'PostUp = false\n'
case_of refused "hook whose first command fails" "$I"$'PostUp = false; true\n'
case_of refused "hook whose pipe fails" "$I"$'PostUp = false | true\n'
case_of accepted "hook that makes a route of its own" "$I"$'PreUp = ip link set %i up\nPreUp = ip route add 10.8.0.0/16 dev %i\n'"$P"$'AllowedIPs = 10.8.9.0/24\n' newer
case_of accepted "key from a hook" $'[Interface]\nPreUp = wg set %i private-key <(echo @A)\n' newer
all_same
