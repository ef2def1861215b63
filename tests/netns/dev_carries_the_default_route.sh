#!/usr/bin/env bash
# Stock wg-quick sends everything (0.0.0.0/0, ::/0) through ginnel, by firewall mark and policy
# routing: nothing passes in the clear, each datagram of the tunnel itself carries the mark and so
# finds its way out, and `down` restores rules, routes and firewall.
#
#   left 192.0.2.1 ──── 192.0.2.2 right, which is also the internet: 203.0.113.1, 2001:db8:1::1
source "$(dirname "$0")/dev_lib.sh"
two_ends
sed -i 's|^AllowedIPs.*|AllowedIPs = 0.0.0.0/0, ::/0|' /etc/wireguard/wg-left.conf
address right lo 203.0.113.1/32,2001:db8:1::1/128
ip -n left route add default via 192.0.2.2
ip -n left -6 route add default via 2001:db8::2
start right
serve right
in_ns left nft -f - <<'END'
table inet watch {
  chain out {
    type filter hook output priority 300
    udp dport 51822 meta mark 51820 counter accept comment "marked"
    udp dport 51822 counter comment "unmarked"
  }
}
END
passed() {
  in_ns left nft -j list table inet watch |
    jq ".nftables[].rule | select(.comment == \"$1\") | .expr[].counter.packets // empty"
}
host_state() {
  in_ns left sh -c 'ip rule; ip -6 rule; ip route show table all; ip -6 route show table all; nft list tables'
}
before=$(host_state)
reaches left 203.0.113.1 # Without the tunnel, so that what is seen below says something.

step "up"
up left ginnel-dev
[[ $(in_ns left wg show wg-left fwmark) == 0xca6c ]]
# The kernel speaks as soon as the link is up, which is before wg-quick sets the mark.
unmarked=$(passed unmarked)
capture clear right to-left 'icmp or tcp or (udp and not port 51822) or (icmp6 and ip6[40] == 128)'
eventually reaches left 203.0.113.1
reaches left 2001:db8:1::1
for address in 203.0.113.1 2001:db8:1::1; do
  echoes left tcp "$address" 5000000
  echoes left udp "$address" 1 1000 4000
done
[[ $(count clear) == 0 ]] || fail "in the clear: $(packets clear)"
(($(passed marked) > 100)) || fail "only $(passed marked) datagrams carried the mark"
(($(passed unmarked) == unmarked)) || fail "datagrams carried no mark"

step "down"
in_ns left wg-quick down wg-left
after=$(host_state)
[[ $before == "$after" ]] || fail "$(diff <(echo "$before") <(echo "$after"))"
reaches left 203.0.113.1
