#!/usr/bin/env bash
# With dns = "builtin" a server answers its clients' questions by UDP and TCP over both families, by the
# resolvers that its host asks, and nobody's who is not in the tunnel. Forged answers are not believed,
# a flood does not keep others out, and without an upstream it says so at once.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/server_lib.sh"

server_topology
big=$(printf 'x%.0s' {1..200})
texts=()
for i in {1..20}; do texts+=(--txt-record="big.example,$i$big"); done
run_upstream() {
  run_daemon upstream internet dnsmasq --no-daemon --conf-file=/dev/null --no-resolv --no-hosts \
    --bind-interfaces --listen-address=203.0.113.1 --host-record=www.example,203.0.113.80,2001:db8::80 \
    --local=/example/ --local-ttl=300 --log-queries --edns-packet-max=4096 "${texts[@]}"
  upstream=$daemon
}
run_upstream
echo 'nameserver 203.0.113.1' >/etc/resolv.conf

step "somebody else has the port"
run_daemon other server socat UDP4-LISTEN:53,fork EXEC:cat
other=$daemon
run_daemon other-tcp server socat TCP4-LISTEN:53,fork EXEC:cat
has_port() { in_ns server ss -Hlnt sport = :53 | finds .; }
eventually has_port
refute in_ns server timeout 20 "$GINNEL" server --endpoint 192.0.2.1 --dns builtin 2>"$dir/taken.txt"
grep -q 'dns = "builtin": listen on 10.200.100.1:53 by TCP: .*; or name resolvers in dns' \
  "$dir/taken.txt" || fail "says $(cat "$dir/taken.txt")"
stop "$daemon"
stop "$other"

step "a server that answers"
start_server --dns builtin --dns home.arpa
own4=10.200.100.1
own6=$(of_server '.server.addresses[1] // empty' 2>/dev/null || true)
start_client client first
[[ -n $own6 ]] || own6=$(in_ns server ip -j -6 addr show wg0 | jq -r '.[0].addr_info[] | select(.scope == "global") | .local')
ask() { in_ns client dig +tries=1 +time=5 "$@"; }
gets() { [[ $(ask +short "${@:2}") == "$1" ]]; }
asked() { grep -c "query\[$1\] $2" "$dir/upstream.log" || true; }

step "a client is told the server's own addresses"
manage peer config first | finds -x "DNS = $own4, $own6, home.arpa" || fail "$(manage peer config first | grep DNS)"

step "both families, UDP and TCP"
for place in "$own4" "$own6"; do
  eventually gets 203.0.113.80 "@$place" www.example A
  gets 2001:db8::80 "@$place" +tcp www.example AAAA || fail "no answer by TCP from $place"
done

step "what was answered is kept, and what does not exist is said so"
before=$(asked A www.example)
ask "@$own4" www.example A >&2
[[ $(asked A www.example) == "$before" ]] || fail "asked again"
ask "@$own4" none.example A | finds 'status: NXDOMAIN' || fail "no NXDOMAIN"

step "an answer that does not fit a datagram"
[[ $(ask "@$own4" +short big.example TXT | wc -l) == 20 ]] || fail "not all of it"
ask "@$own4" +ignore +bufsize=1232 big.example TXT | finds 'flags: qr tc' || fail "not marked"

step "nobody outside the tunnel is answered"
for place in "$own4" 192.0.2.1 203.0.113.2; do
  refute in_ns internet dig +tries=1 +time=1 "@$place" www.example A >/dev/null 2>&1
done
ip -n internet route add "$own4" via 203.0.113.2
refute in_ns internet dig +tries=1 +time=1 "@$own4" www.example A >/dev/null 2>&1
refute in_ns internet dig +tries=1 +time=1 +tcp "@$own4" www.example A >/dev/null 2>&1

step "the resolver drops what one asks too much, and answers the others"
cat >"$dir/flood.py" <<'PYTHON'
import random, socket, struct, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(5000):
    name = b"n%d" % i
    s.sendto(struct.pack(">6H", i, 0x100, 1, 0, 0, 0) + bytes([len(name)]) + name + b"\7example\0\0\1\0\1",
             (sys.argv[1], 53))
PYTHON
in_ns client python3 "$dir/flood.py" "$own4"
metric() { in_ns server curl -fsS http://127.0.0.1:9586/metrics | sed -n "s/^ginnel_dns_events_total{event=\"$1\"} //p"; }
dropped() { (($(metric dropped_rate_limited) > 0)); }
eventually dropped
eventually gets 203.0.113.80 "@$own4" www.example A

step "forged answers are not believed"
stop "$upstream"
cat >"$dir/forger.py" <<'PYTHON'
import socket, struct
real = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
real.bind(("203.0.113.1", 53))
other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
other.bind(("203.0.113.1", 5353))
def answer(query, name, address):
    return (query[:2] + struct.pack(">5H", 0x8180, 1, 1, 0, 0) + name +
            struct.pack(">HHHHHIH", 1, 1, 0xc00c, 1, 1, 300, 4) + socket.inet_aton(address))
while True:
    query, client = real.recvfrom(4096)
    end = query.index(b"\0", 12) + 1
    name = query[12:end]
    forged = answer(query, name, "6.6.6.6")
    other.sendto(forged, client)
    real.sendto(bytes([query[0] ^ 1]) + forged[1:], client)
    real.sendto(answer(query, b"\4evil\7example\0", "6.6.6.6"), client)
    real.sendto(forged[:20], client)
    real.sendto(answer(query, name, "203.0.113.81"), client)
PYTHON
run_daemon forger internet python3 "$dir/forger.py"
forger=$daemon
eventually gets 203.0.113.81 "@$own4" true.example A
(($(metric answers_mismatched) >= 3)) || fail "counted $(metric answers_mismatched)"
stop "$forger"

step "without an upstream it says so at once"
ask "@$own4" +time=2 alone.example A | finds 'status: SERVFAIL' || fail "no SERVFAIL"
gets 203.0.113.81 "@$own4" true.example A || fail "forgot what it knew"

step "a change of the host's resolvers is followed, and none is invented"
ip -n internet addr add 203.0.113.9/24 dev to-server
sed -i 's/203.0.113.1/203.0.113.9/' /etc/resolv.conf
run_daemon second internet dnsmasq --no-daemon --conf-file=/dev/null --no-resolv --no-hosts \
  --bind-interfaces --listen-address=203.0.113.9 --address=/alone.example/203.0.113.99
ip -n server link add poke type veth peer name poked  # It looks again when networks change.
eventually gets 203.0.113.99 "@$own4" alone.example A
