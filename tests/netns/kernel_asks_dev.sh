#!/usr/bin/env bash
# ginnel answers the handshakes of a Linux kernel's WireGuard, with a preshared key, and learns from
# them where it is. What passes then is right to the last byte: ICMP, UDP and TCP of both families.
# So it is after the kernel has forgotten its session, and after it has moved.
source "$(dirname "$0")/kernel_lib.sh"
guest --endpoint 192.0.2.1:51821
conf left right "PresharedKey = $psk"
sed -i '/^Endpoint/d' /etc/wireguard/wg-left.conf

step "the kernel asks"
start left
serve left
[[ $(in_ns left wg show wg-left endpoints | cut -f2) == "(none)" ]]
carries_from_guest 10.9.0.1
carries_from_guest fd09::1
[[ $(in_ns left wg show wg-left endpoints | cut -f2) == 192.0.2.2:51822 ]]

step "the kernel asks again, over IPv6"
# Or ginnel might ask first, over IPv4, where it last heard of the kernel.
in_guest 'ip addr del 192.0.2.2/24 dev eth0'
in_guest 'wg set wg0 private-key <(wg genkey)'
in_guest "wg set wg0 private-key <(echo ${private[right]}) peer ${public[left]} endpoint '[2001:db8::1]:51821'"
carries_from_guest 10.9.0.1
[[ $(in_ns left wg show wg-left endpoints | cut -f2) == '[2001:db8::2]:51822' ]]

step "and ginnel finds its way back"
in_ns left ping -c 2 -W 5 fd09::2

step "and follows the kernel to another address and port"
in_guest 'ip addr add 192.0.2.102/24 dev eth0; wg set wg0 listen-port 51899'
in_guest "wg set wg0 peer ${public[left]} endpoint 192.0.2.1:51821 persistent-keepalive 1"
followed() { [[ $(in_ns left wg show wg-left endpoints | cut -f2) == 192.0.2.102:51899 ]]; }
wait_for 60 followed
in_ns left ping -c 2 -W 5 10.9.0.2
