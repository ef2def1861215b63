#!/usr/bin/env bash
# The host of a gateway renews its own lease with the server that gave it, by unicast, while all else is
# locked: the server that networkd's or dhclient's lease names, or --dhcp-server. Nothing else goes to
# that server, and to no other does that.
source "$(dirname "$0")/gateway_lib.sh"
gateway_topology
two_providers
index=$(in_ns gw cat /sys/class/net/to-router/ifindex)
lan_index=$(in_ns gw cat /sys/class/net/to-member/ifindex)
mkdir -p /run/systemd/netif/leases /var/lib/dhcp
printf 'ADDRESS=192.0.2.2\nSERVER_ADDRESS=192.0.2.1\n' >"/run/systemd/netif/leases/$index"
printf 'ADDRESS=10.100.0.2\nSERVER_ADDRESS=192.0.2.9\n' >"/run/systemd/netif/leases/$lan_index"
start_gateway nl --lan to-member --dhcp-server 192.0.2.7
capture wire router to-gw udp and port not 51820
# Neighbours that are not there would keep what is let out from being seen.
for last in 1 7 8 9; do
  in_ns gw ip neigh replace "192.0.2.$last" dev to-router lladdr "$(in_ns router cat /sys/class/net/to-gw/address)"
done

# renew ADDRESS [SOURCE [TARGET]]: as a DHCP client does, without the mark.
renew() {
  in_ns gw python3 - "$@" <<'PYTHON' 2>/dev/null || true
import socket, sys
address, source, target = (sys.argv[1:] + ['68', '67'][len(sys.argv) - 2:])[:3]
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
    one.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b'to-router')
    one.bind(('192.0.2.2', int(source)))
    one.sendto(b'renew', (address, int(target)))
PYTHON
}
sent() { (($(count wire "dst host $1") > 0)); }
step "the lease's server, and the one that was named"
renew 192.0.2.1
eventually sent 192.0.2.1
renew 192.0.2.7
eventually sent 192.0.2.7

step "nobody else, and nothing else"
renew 192.0.2.8
renew 192.0.2.9
renew 192.0.2.1 1068
renew 192.0.2.1 68 53
renew 192.0.2.7
again() { (($(count wire 'dst host 192.0.2.7') == 2)); }
eventually again
(($(count wire 'dst host 192.0.2.1') == 1)) || fail "$(packets wire)"
(($(count wire 'not dst host 192.0.2.1 and not dst host 192.0.2.7') == 0)) || fail "$(packets wire)"
in_ns gw "$GINNEL" gateway status --json | finds '"dhcp_servers":\["192.0.2.1"\]'

step "a lease from another server"
printf 'lease {\n  interface "to-router";\n  option dhcp-server-identifier 192.0.2.8;\n}\n' >/var/lib/dhcp/dhclient.leases
rm "/run/systemd/netif/leases/$index"
ip -n gw link add soon type bridge
follows() {
  renew 192.0.2.8
  sent 192.0.2.8
}
eventually follows
renew 192.0.2.1
renew 192.0.2.7
third() { (($(count wire 'dst host 192.0.2.7') == 3)); }
eventually third
(($(count wire 'dst host 192.0.2.1') == 1)) || fail "$(packets wire)"
