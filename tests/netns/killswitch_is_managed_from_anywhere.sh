#!/usr/bin/env bash
# --manage 0.0.0.0/0 and ::/0: whoever begins a connection is answered, with a tunnel and without one;
# what the host begins, and what it had begun before the lock, does not get out by that.
source "$(dirname "$0")/killswitch_lib.sh"
make_network
make_tunnel
ip -n world addr add 192.0.2.9/24 dev to-host
in_ns world sysctl -qw net.ipv4.conf.all.arp_announce=2  # As a router that is on the link.
ip -n world -6 route add 2001:db8::2/128 dev to-host src 2001:db8:9::1
in_ns host python3 -m http.server 8022 --bind :: --directory "$dir" >"$dir/http.log" 2>&1 &
fetch() { in_ns world curl -s -o /dev/null --max-time 2 --interface "$1" "$2"; }
all_fetch() {
  fetch 198.51.100.1 http://192.0.2.2:8022/ && fetch 192.0.2.9 http://192.0.2.2:8022/ &&
    fetch 2001:db8:9::1 'http://[2001:db8::2]:8022/' && fetch 2001:db8::1 'http://[2001:db8::2]:8022/'
}
pings() { in_ns world ping -c 1 -W 1 -n -I 198.51.100.1 192.0.2.2 >/dev/null 2>&1; }
eventually all_fetch

step "connections of the host's own, whose other end speaks"
# Says a line twenty times a second, and what came back.
cat >"$dir/speak.py" <<'PYTHON'
import socket, sys, threading, time
kind = sys.argv[1]
if kind == 'tcp':
    with socket.create_server(('198.51.100.1', 8090)) as server:
        peer, _ = server.accept()
        say = lambda: peer.sendall(b'word\n')
else:
    own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    own.bind(('198.51.100.1', 8091))
    _, peer = own.recvfrom(99)
    say = lambda: own.sendto(b'word\n', peer)
while True:
    try:
        say()
    except OSError:
        pass
    time.sleep(0.05)
PYTHON
for kind in tcp udp; do run_daemon "speak-$kind" world python3 "$dir/speak.py" "$kind"; done
eventually in_ns world sh -c 'ss -ltn | grep -q :8090 && ss -lun | grep -q :8091'
run_daemon hear-tcp host socat -u TCP:198.51.100.1:8090,bind=192.0.2.2 CREATE:"$dir/tcp"
run_daemon hear-udp host sh -c \
  "echo begin | socat -,ignoreeof UDP:198.51.100.1:8091,bind=192.0.2.2 >'$dir/udp'"
hears() { [[ $(wc -c <"$dir/$1") -gt ${2:-0} ]]; }
for kind in tcp udp; do eventually hears "$kind"; done

manage=(--manage 0.0.0.0/0 --manage ::/0)
for tunnel in "" wg0; do
  step "${tunnel:-without a tunnel}"
  killswitch on $tunnel "${manage[@]}"
  armed
  grep -q 'management: ::/0' "$dir/status"
  capture "wire$tunnel" world to-host
  all_fetch
  pings
  refute in_ns host curl -s --max-time 1 http://198.51.100.1:8090/
  refute in_ns host curl -s --max-time 1 --interface 192.0.2.2 http://198.51.100.1:8090/
  if [[ -n $tunnel ]]; then
    eventually through_tunnel
    # What the host begins goes into the tunnel, wherever it leads.
    [[ $(in_ns host ip route get 198.51.100.1) == *"dev wg0"* ]]
  fi
  marker "wire$tunnel"
  # Nothing towards the ports of the far ends, neither what is new nor what was there.
  [[ $(count "wire$tunnel" 'src host 192.0.2.2 and (port 8090 or port 8091)') == 0 ]] || fail "the host's own connections go on"
done

step "an address that comes later"
ip -n host addr add 192.0.2.77/24 dev to-world
later() { fetch 198.51.100.1 http://192.0.2.77:8022/; }
eventually later
eventually armed
killswitch off
nothing_stands
all_fetch
