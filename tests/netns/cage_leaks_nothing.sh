#!/usr/bin/env bash
# Of a command that sends whatever it can, while the tunnel has no answer, nothing leaves the host but
# the tunnel's own handshakes; without the cage the same is seen in clear.
source "$(dirname "$0")/cage_lib.sh"
make_world
attack=$own/attack.py
cat >"$attack" <<'PYTHON'
import socket, sys
for family, address in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
    for port in (53, 51820, 4444):
        with socket.socket(family, socket.SOCK_DGRAM) as s:
            try:
                s.sendto(b"leak-leak-leak", (address, port))
            except OSError as error:
                print(address, port, error, file=sys.stderr)
    with socket.socket(family, socket.SOCK_STREAM) as s:
        s.settimeout(0.3)
        try:
            s.connect((address, 80))
        except OSError as error:
            print(address, error, file=sys.stderr)
for interface in ("to-world", "eth0"):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        try:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
            s.sendto(b"leak-leak-leak", ("192.0.2.1", 4444))
        except OSError as error:
            print(interface, error, file=sys.stderr)
try:
    socket.getaddrinfo("leak.example", 80)
except OSError as error:
    print(error, file=sys.stderr)
PYTHON
chmod 644 "$attack"
echo 'nameserver 192.0.2.1' >/etc/resolv.conf
not_tunnel='not arp and not icmp6[0] == 135 and not icmp6[0] == 136 and not (udp dst port 51820 and udp[4:2] == 156)'
noise='not icmp and not (icmp6 and ip6[40] != 128)'

seen() { [[ $(count control "$1") != 0 ]]; }

step "without a cage it is seen"
# Neighbours are known, so that nothing waits for them and leaves later.
eventually reaches host 192.0.2.1
eventually reaches host 2001:db8::1
capture control world to-host
as_user python3 "$attack"
eventually seen 'udp port 4444'
eventually seen 'ip6 and udp port 4444'
eventually seen 'udp port 53'

step "in one that has no answer it is not"
kill -STOP "$peer"
capture caged world to-host
cage python3 "$attack"
eventually bash -c "tcpdump -n -r $dir/caged.pcap 'udp dst port 51820 and udp[4:2] == 156' 2>/dev/null | grep -q ."
[[ $(count caged "$not_tunnel and $noise and src host 192.0.2.2") == 0 ]] ||
  fail "escaped: $(packets caged "$not_tunnel and src host 192.0.2.2")"
[[ $(count caged "ip6 and $noise and src host 2001:db8::2") == 0 ]] ||
  fail "escaped: $(packets caged "ip6 and src host 2001:db8::2")"

step "nor when the cage's process outside is killed at once"
capture killed world to-host
start_cage -- bash -c "touch $own/runs; while :; do python3 $attack 2>/dev/null; done"
eventually test -e "$own/runs"
kill -KILL "$job"
eventually gone "$job"
wait_quiet() { ! pgrep -u "$user" -f attack.py; }
eventually wait_quiet
[[ $(count killed "$not_tunnel and $noise and src host 192.0.2.2") == 0 ]] ||
  fail "escaped: $(packets killed "$not_tunnel and src host 192.0.2.2")"
