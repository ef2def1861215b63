# Sourced by scenarios of the kill switch.
#
#   client 10.100.0.2 ──── host ──── world, which owns the internet's 198.51.100.1
#                          wg0 ===== wg-far, in world
# shellcheck shell=bash disable=SC2034  # Scenarios read what is set here.
source "$(dirname "${BASH_SOURCE[0]}")/up_lib.sh"

make_network() {
  make_host
  link client 10.100.0.2/24,fd10::2/64 host 10.100.0.1/24,fd10::1/64
  ip -n client route add default via 10.100.0.1
  ip -n client -6 route add default via fd10::1
  ip -n world addr add 2001:db8:9::1/128 dev lo
  ip -n world route add 10.100.0.0/24 via 192.0.2.2
  ip -n world -6 route add fd10::/64 via 2001:db8::2
  in_ns host sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
  host_mac=$(in_ns host cat /sys/class/net/to-world/address)
  world_mac=$(in_ns world cat /sys/class/net/to-host/address)
}

# The tunnel, which marks its datagrams as the kill switch expects them; it routes nothing by itself.
make_tunnel() {
  in_ns world ginnel-dev wg-far
  in_ns world wg set wg-far private-key <(echo "$key_b") listen-port 51820 \
    peer "$pub_a" allowed-ips 10.9.0.2/32,fd09::2/128
  ip -n world addr add 10.9.0.1/24 dev wg-far
  ip -n world addr add fd09::1/64 dev wg-far
  ip -n world link set wg-far up
  conf wg0 <<'CONF'
[Interface]
PrivateKey = @A
Address = 10.9.0.2/32, fd09::2/128
DNS = 10.9.0.1
Table = off
FwMark = 0x8888
[Peer]
PublicKey = @b
AllowedIPs = 0.0.0.0/0, ::/0
Endpoint = 192.0.2.1:51820
CONF
  : >/etc/resolv.conf
  in_ns host "$GINNEL" up wg0
}

# The oldest: what it starts has its name for a moment.
watcher() { pgrep -ox ginnel-watcher || true; }
guardian() { pgrep -ox ginnel-guardian || true; }
killswitch() { in_ns host "$GINNEL" killswitch "$@"; }
nothing_stands() {
  in_ns host nft list tables >"$dir/tables"
  refute grep ginnel-lock "$dir/tables"
}
armed() { killswitch status >"$dir/status" 2>&1; }
through_tunnel() { in_ns host ping -c 1 -W 1 -n 10.9.0.1 >/dev/null 2>&1; }

# start_probes NAME: local ones in `host`, forwarded ones from `client`, and a capture behind the
# host, by which find_probes NAME tells what came through. stop_probes ends them.
start_probes() {
  capture "$1" world to-host
  ip netns exec host python3 "$tests/netns/leaks.py" send to-world "$world_mac" --rate 1000 \
    >"$dir/$1.sent" 2>"$dir/$1.send.log" &
  local_probe=$!
  ip netns exec client python3 "$tests/netns/leaks.py" send to-host "$world_mac" --rate 100 \
    --only forwarded >"$dir/$1.forwarded" 2>>"$dir/$1.send.log" &
  lan_probe=$!
  eventually grep -q ready "$dir/$1.sent"
  eventually grep -q ready "$dir/$1.forwarded"
}
stop_probes() { stop "$local_probe"; stop "$lan_probe"; }
find_probes() {
  python3 "$tests/netns/leaks.py" find "$dir/$1.pcap" "$host_mac" 192.0.2.1:51820 "${@:2}"
}
# Without a lock: every class has come through.
seen_all() {
  local class
  for class in {local,live,bound,address,marked,endpoint,endpointport,dns,lan,mdns,raw,bypass,forwarded}4 \
    {local,live,bound,address,marked,dns,mdns,raw,bypass,forwarded}6; do
    find_probes control | finds "\"$class\"" || { echo "$class is not seen" >&2; return 1; }
  done
}
# All that was sent has been captured when this comes through.
marker() { # NAME
  in_ns world ping -c 1 -W 1 -n -s 77 192.0.2.2 >/dev/null 2>&1 || true
  eventually bash -c "tcpdump -n -r '$dir/$1.pcap' 'icmp and src host 192.0.2.1' 2>/dev/null | grep -q ."
}
kept_in() { # NAME
  local found
  found=$(find_probes "$1")
  [[ $found == "{}" ]] || fail "leaked in $1: $found"
}

# A program that `beside.py talk` started beside the tunnel goes on, and through it, when wg0 is
# locked without an exception.
moves_into_tunnel() {
  local said
  killswitch on wg0
  capture live world to-host
  said=$(<"$dir/talk/said")
  # shellcheck disable=SC2317  # It is called.
  goes_on() { [[ $(<"$dir/talk/said") -gt $((said + 20)) ]]; }
  eventually goes_on
  marker live
  [[ $(count live 'src host 192.0.2.2 and tcp port 90') == 0 ]]
}
