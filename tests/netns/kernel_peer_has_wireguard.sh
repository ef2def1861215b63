#!/usr/bin/env bash
# The guest of kernel-peer.sh is a peer worth testing against: its kernel has WireGuard, two guests
# talk through it, and what tests rely on (exit codes, words, the shared folder, read-only host) holds.
#
#   left: wg0 10.9.0.1 ── 192.0.2.2 ─ wire ─ 192.0.2.130 ── right: wg0 10.9.0.2
source "$(dirname "$0")/lib.sh"

step "two guests on one wire"
namespace wire
in_ns wire sysctl -qw net.ipv4.ip_forward=1
left_key=$(wg genkey) right_key=$(wg genkey)
kernel_peer left wire 192.0.2.1/25 192.0.2.2/25 --private-key "$left_key" --address 10.9.0.1/24,fd09::1/64 \
  --peer "$(wg pubkey <<<"$right_key")" --endpoint 192.0.2.130:51820 --allowed-ips 10.9.0.2/32,fd09::2/128 &
left=$!
kernel_peer right wire 192.0.2.129/25 192.0.2.130/25 --private-key "$right_key" --address 10.9.0.2/24,fd09::2/64 \
  --peer "$(wg pubkey <<<"$left_key")" --allowed-ips 10.9.0.1/32,fd09::1/128
wait "$left"
in_kernel left ip route add 192.0.2.128/25 via 192.0.2.1
in_kernel right ip route add 192.0.2.0/25 via 192.0.2.129

step "the tunnel carries both families"
in_kernel left ping -c 2 -W 5 10.9.0.2
in_kernel left ping -c 2 -W 5 fd09::2
[[ $(in_kernel right wg show wg0 latest-handshakes | cut -f2) -gt 0 ]]
in_kernel right ip -d link show wg0 | finds wireguard

step "commands keep their exit code and their words"
status=0
in_kernel left 'exit 7' || status=$?
[[ $status == 7 ]]
[[ $(in_kernel left printf '%s|' 'a b' "c'd") == "a b|c'd|" ]]

step "the shared folder is shared, and nothing else"
in_kernel left "echo from the guest >$dir/left/share/note"
[[ $(<"$dir/left/share/note") == "from the guest" ]]
in_kernel left 'touch /etc/of-the-guest'
[[ ! -e /etc/of-the-guest ]]
refute in_kernel left 'touch /root/of-the-guest'

step "a guest ends when asked"
"$tests/kernel-peer.sh" stop "$dir/right"
refute in_kernel right true
