#!/usr/bin/env bash
# A SIGHUP that reaches a gateway while it asks for its peer's name in clear, as it starts and when its
# peer has moved, is not lost: its files are read again as soon as it has its answer.
source "$(dirname "$0")/gateway_lib.sh"
gateway_topology
two_providers
conf nl 10.2.0.2/32,fd02::2/128 10.2.0.1 nl.example:51820
printf 'nameserver 192.0.2.1\n' >/etc/resolv.conf
run_daemon names router dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --user=root \
  --pid-file= --bind-interfaces --listen-address=192.0.2.1 --except-interface=lo --address=/nl.example/198.51.100.1
eventually in_ns router dig +short +time=1 +tries=1 @192.0.2.1 nl.example
# The server says nothing, not even that it is none.
hush() {
  in_ns router nft 'add table ip hush; add chain ip hush in { type filter hook input priority 0; };
    add rule ip hush in udp dport 53 drop'
}
answer() { in_ns router nft delete table ip hush; }
resolvers() { in_ns gw "$GINNEL" killswitch status --json 2>/dev/null | sed -n 's/.*"resolvers":\[\([^]]*\)\].*/\1/p'; }
asks() { [[ $(resolvers) == *192.0.2.1* ]]; }
set_mtu() { sed -i "/^MTU/d; s/^DNS.*/&\nMTU = $1/" /etc/wireguard/nl.conf; }
said() { grep -q "$1" "$dir/gateway.log"; }
has_mtu() { [[ $(in_ns gw cat /sys/class/net/nl/mtu) == "$1" ]]; }

step "as it starts"
in_ns gw "$GINNEL" killswitch on
hush
run_daemon gateway gw "$GINNEL" gateway nl --lan to-member --ask-after 2
gateway=$daemon
eventually asks
set_mtu 1311
kill -HUP "$gateway"
refute said 'reloaded'
answer
wait_for 30 said 'connected tunnel='
eventually said 'reloaded changed=nl:MTU'
eventually has_mtu 1311

step "when its peer is silent"
hush
run_daemon send member python3 "$tests/netns/internet.py" send 203.0.113.1
in_ns router ip link set to-nl down
wait_for 60 asks
refute said 'reloaded.*reloaded'
set_mtu 1312
kill -HUP "$gateway"
answer
eventually has_mtu 1312

step "and SIGTERM is not lost either"
hush
wait_for 60 asks
stop "$gateway"
((status == 0)) || fail "status $status"
