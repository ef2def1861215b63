#!/usr/bin/env bash
# A gateway on a host that is locked, whose file names its peer and whose address nobody knows: the
# uplink's DNS server is asked for that one name, with the tunnel's mark, which log and status say, and
# for as long as it takes. Meanwhile and afterwards nothing else reaches that server; the next start
# asks nobody.
source "$(dirname "$0")/gateway_lib.sh"
gateway_topology
two_providers
conf nl 10.2.0.2/32,fd02::2/128 10.2.0.1 nl.example:51820
# The first is a tunnel's own, as a gateway that was killed leaves it: it is not asked in clear.
printf 'nameserver 10.2.0.1\nnameserver 192.0.2.1\n' >/etc/resolv.conf

# Keeps asking the uplink's server for other names, without the mark, as any program could.
cat >"$dir/ask.py" <<'PYTHON'
import socket, time
question = b'\0\7\1\0\0\1\0\0\0\0\0\0\5other\4test\0\0\1\0\1'
while True:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        try:
            one.sendto(question, ('192.0.2.1', 53))
        except OSError:
            pass
    with socket.socket() as stream:
        stream.settimeout(0.01)
        try:
            stream.connect(('192.0.2.1', 53))
        except OSError:
            pass
    time.sleep(0.002)
PYTHON
run_daemon others gw python3 "$dir/ask.py"
watch_wire
asked() { packets wire "dst host 192.0.2.1 and port 53 and udp" | awk '/other\.test/' | wc -l; }
others_are_seen() { (($(asked) > 0)); }
eventually others_are_seen  # The wiring works, and a leak would be seen.

step "nobody answers: the lock is as before"
in_ns gw "$GINNEL" killswitch on
capture locked router to-gw "port 53 and ether src $(in_ns gw cat /sys/class/net/to-router/address)"
run_daemon gateway gw "$GINNEL" gateway nl --lan to-member
gateway=$daemon
says_so() { in_ns gw "$GINNEL" killswitch status --json >"$dir/status"; [[ $(<"$dir/status") == *'"resolvers":["192.0.2.1:53"]'* ]]; }
eventually says_so
wait_for 60 gone "$gateway"
status=0
wait "$gateway" || status=$?
((status == 4)) || fail "status $status"
grep -q 'no server of the uplink answers' "$dir/gateway.log"
in_ns gw "$GINNEL" killswitch status --json >"$dir/status"
grep -q '"resolvers":\[\]' "$dir/status"
grep -q '"holder":"killswitch"' "$dir/status"

step "it is asked for the one name, and there is a tunnel"
run_daemon names router dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --user=root \
  --pid-file= --bind-interfaces --listen-address=192.0.2.1 --except-interface=lo --address=/nl.example/198.51.100.1
eventually in_ns router dig +short +time=1 +tries=1 @192.0.2.1 nl.example
start_gateway nl --lan to-member
grep -q 'asking for nl.example in clear.*servers=192.0.2.1:53' "$dir/gateway.log"
grep -q 'nl.example is 198.51.100.1; nobody is asked in clear any more' "$dir/gateway.log"
eventually reaches_by nl member 203.0.113.1
in_ns gw "$GINNEL" killswitch status --json >"$dir/status"
grep -q '"resolvers":\[\]' "$dir/status"

step "nothing else left, all the time"
packets locked >"$dir/questions"
grep -q 'A? nl\.example' "$dir/questions"
refute grep -v 'nl\.example' "$dir/questions"
[[ -z $(packets locked tcp) ]] || fail "TCP"

step "afterwards not even with the mark"
marked() {
  in_ns gw python3 - <<'PYTHON'
import socket
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
    one.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, 0x8888)
    one.settimeout(1)
    one.sendto(b'\0\7\1\0\0\1\0\0\0\0\0\0\2nl\7example\0\0\1\0\1', ('192.0.2.1', 53))
    one.recv(512)
PYTHON
}
before=$(wc -l <"$dir/questions")
refute marked 2>/dev/null
packets locked >"$dir/questions"
(($(wc -l <"$dir/questions") == before)) || fail "it was asked again"

step "the next start knows it"
stop "$gateway" KILL
start_gateway nl --lan to-member
packets locked >"$dir/questions"
(($(wc -l <"$dir/questions") == before)) || fail "it was asked again"
