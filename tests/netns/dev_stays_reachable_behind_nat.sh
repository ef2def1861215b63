#!/usr/bin/env bash
# A client behind NAT that sends keepalives stays reachable from outside, also when the router gives
# its mapping another port.
#
#   left 10.1.0.2 ──── 10.1.0.1 router (NAT) 192.0.2.1 ──── 192.0.2.2 right
source "$(dirname "$0")/dev_lib.sh"
link left 10.1.0.2/24 router 10.1.0.1/24
link router 192.0.2.1/24 right 192.0.2.2/24
ip -n left route add default via 10.1.0.1
in_ns router sysctl -qw net.ipv4.ip_forward=1
nat_from_port() {
  in_ns router nft -f - <<END
table ip nat
delete table ip nat
table ip nat {
  chain out {
    type nat hook postrouting priority srcnat
    oifname "to-right" meta l4proto udp masquerade to :$1-$(($1 + 9))
  }
}
END
  # The kernel forgets the mappings of an address that goes away.
  ip -n router addr del 192.0.2.1/24 dev to-right
  ip -n router addr add 192.0.2.1/24 dev to-right
}
mapped_from() { [[ $(in_ns right wg show wg-right endpoints | cut -f2) == "192.0.2.1:$1"? ]]; }

nat_from_port 40000
conf left right 'PersistentKeepalive = 1'
conf right left
sed -i '/^Endpoint/d' /etc/wireguard/wg-right.conf
start right
start left

step "its first keepalive makes it reachable"
eventually mapped_from 4000
reaches right 10.9.0.1

step "and so does the next one after the mapping changed"
nat_from_port 41000
eventually mapped_from 4100
reaches right 10.9.0.1
reaches right fd09::1
