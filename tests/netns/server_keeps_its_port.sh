#!/usr/bin/env bash
# A client that sends from the server's own port to where another client is does not get the other's
# datagrams (port shadow, CVE-2021-3773): the other connects. Without the server's rules it is shut
# out, and its handshakes arrive at the attacker.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/server_lib.sh"

readonly kVictim=192.0.3.2 kVictimPort=40123
# From behind the tunnel and the server's own port, to where the victim sends from; again and again.
cast_shadow() {
  run_daemon shadow client python3 -c '
import socket, sys, time
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
    sender.bind(("", 51820))
    while True:
        sender.sendto(b"shadow", (sys.argv[1], int(sys.argv[2])))
        time.sleep(0.1)
' "$kVictim" "$kVictimPort"
  shadow=$daemon
}
# The shadow as it arrives: six bytes of payload.
falls() { (($(count victim "udp dst port $kVictimPort and udp[4:2] = 14" "$@") > 0)); }
stolen() { count attacker "udp and src host $kVictim and src port $kVictimPort"; }
has_stolen() { (($(stolen) > 0)); }
is_forgotten() { ! in_ns server grep -q "dport=$kVictimPort" /proc/net/nf_conntrack; }
victim() { in_ns other wg-quick "$1" "$dir/anna.conf" >"$dir/other-$1.log" 2>&1; }

step "a client that attacks, and one that is not there yet"
server_topology
client_host other 1
in_ns server sysctl -qw net.netfilter.nf_conntrack_udp_timeout=4 \
  net.netfilter.nf_conntrack_udp_timeout_stream=4
start_server
manage peer add anna >"$dir/add.log"
manage peer config anna | sed "/^DNS/d; s/^Endpoint.*/Endpoint = 192.0.3.1:51820/
  s/^Address/ListenPort = $kVictimPort\n&/" >"$dir/anna.conf"
start_client client first
eventually reaches client 203.0.113.1
client4=$(of_peer first '.addresses[0]')

step "it keeps nobody out and gets nothing"
capture attacker client first
capture victim other to-server
cast_shadow
eventually falls
stock_up other "$dir/anna.conf"
eventually reaches other 203.0.113.1
(($(stolen) == 0)) || fail "the attacker got $(packets attacker "udp and src host $kVictim")"
packets victim 'udp[4:2] = 14' | refute finds '\.51820 >'
victim down
stop "$shadow"
eventually is_forgotten

step "without rules, the other is shut out"
rm "$dir/attacker.pcap"
capture attacker client first
bare_tunnel wg0 "$server"
eventually reaches server "$client4"
cast_shadow
eventually falls and src port 51820
victim up
eventually has_stolen
refute reaches other 203.0.113.1
