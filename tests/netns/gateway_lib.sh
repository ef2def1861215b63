# Sourced by the scenarios of `ginnel gateway`, after lib.sh's own rules.
# shellcheck shell=bash disable=SC2034  # Scenarios read what is set here.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

key_gw=$(wg genkey) pub_gw=$(wg pubkey <<<"$key_gw")

# member 10.100.0.3 ──── gw 10.100.0.2, 192.0.2.2 ──── router 192.0.2.1 ──── nl 198.51.100.1
#                                                                        ──── se 198.51.101.1
# The host 203.0.113.1 (2001:db8:203::1) is everywhere: the router answers for it in clear, and each
# provider through its tunnel. Who was reached says, on port 80 by TCP, name_of_internet.
gateway_topology() {
  link member 10.100.0.3/24,fd10::3/64 gw 10.100.0.2/24,fd10::2/64
  link gw 192.0.2.2/24,2001:db8:2::2/64 router 192.0.2.1/24,2001:db8:2::1/64
  ip -n member route add default via 10.100.0.2
  ip -n member -6 route add default via fd10::2
  ip -n gw route add default via 192.0.2.1
  ip -n gw -6 route add default via 2001:db8:2::1
  ip -n router route add 10.100.0.0/24 via 192.0.2.2
  ip -n router -6 route add fd10::/64 via 2001:db8:2::2
  in_ns router sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
  internet_in router
}

internet_in() {
  address "$1" lo 203.0.113.1/32,2001:db8:203::1/128
  run_daemon "internet-$1" "$1" python3 "$tests/netns/internet.py" "$1"
  eventually in_ns "$1" bash -c ': < /dev/tcp/203.0.113.1/80'
}

# provider NAME NET TUNNEL4[,TUNNEL6]: a VPN provider at 198.51.NET.1 whose tunnel's own addresses are
# TUNNEL4 and TUNNEL6; the gateway's are the next ones.
declare -A provider_key provider_net
provider() {
  local name=$1 net=$2
  link router "198.51.$net.254/24" "$name" "198.51.$net.1/24"
  ip -n "$name" route add default via "198.51.$net.254"
  provider_key[$name]=$(wg genkey)
  provider_net[$name]=$net
  in_ns "$name" ginnel-dev "peer-$name"
  in_ns "$name" wg set "peer-$name" private-key <(echo "${provider_key[$name]}") listen-port 51820 \
    peer "$pub_gw" allowed-ips "$4"
  ip -n "$name" link set "peer-$name" up
  address "$name" "peer-$name" "$3"
  local one
  for one in ${4//,/ }; do ip -n "$name" route replace "$one" dev "peer-$name"; done
  internet_in "$name"
}

# conf NAME ADDRESSES DNS [LINES]: the file that a customer of the provider gets.
conf() {
  cat >"/etc/wireguard/$1.conf" <<CONF
[Interface]
PrivateKey = $key_gw
Address = $2
DNS = $3
[Peer]
PublicKey = $(wg pubkey <<<"${provider_key[$1]}")
AllowedIPs = 0.0.0.0/0, ::/0
Endpoint = ${4:-198.51.${provider_net[$1]}.1:51820}
CONF
  chmod 600 "/etc/wireguard/$1.conf"
}

# Two providers: nl carries both families, se IPv4 only.
two_providers() {
  provider nl 100 10.2.0.1/32,fd02::1/128 10.2.0.2/32,fd02::2/128
  provider se 101 10.3.0.1/32 10.3.0.2/32
  conf nl 10.2.0.2/32,fd02::2/128 10.2.0.1
  conf se 10.3.0.2/32 10.3.0.1
}

# start_gateway ARGS...: returns when its tunnel is connected. Its process is $gateway.
start_gateway() {
  rm -f "$dir/gateway.log"
  run_daemon gateway gw "$GINNEL" gateway "$@"
  gateway=$daemon
  eventually grep -q 'connected tunnel=' "$dir/gateway.log"
}

# name_of_internet NS ADDRESS: who answers there; fails when nobody does.
name_of_internet() {
  in_ns "$1" python3 - "$2" <<'PYTHON'
import socket, sys
with socket.create_connection((sys.argv[1], 80), timeout=1) as stream:
    print(stream.makefile().readline().strip())
PYTHON
}
reaches_by() { [[ $(name_of_internet "$2" "$3" 2>/dev/null) == "$1" ]]; }

# Everything that the gateway sends on its physical way out.
# watch_wire [NAME [FILTER...]]
watch_wire() {
  capture "${1:-wire}" router to-gw "ether src $(in_ns gw cat /sys/class/net/to-router/address) ${*:2}"
}
# captured NAME [FILTER...]: at least one packet, by now.
captured() { (($(count "$@") > 0)); }
# What of it is neither transport to the providers nor ARP, NDP or DHCP, nor what the filter $besides
# takes.
leaks() {
  packets "${1:-wire}" "not arp and not (udp and dst port 51820 and dst net 198.51.0.0/16)
    and not (icmp6 and (ip6[40] >= 133 and ip6[40] <= 136)) and not (udp dst port 67 or udp dst port 547)
    ${besides:+and not ($besides)}"
}
leaks_are_seen() { [[ -n $(leaks "$1") ]]; }
no_leaks() {
  local found
  found=$(leaks "${1:-wire}" | head -n 5)
  [[ -z $found ]] || fail "in clear: $found"
}

# As a router that knows no tunnel: everything goes in clear, which shows that a leak would be seen.
open_in_clear() {
  in_ns gw sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
  in_ns gw sysctl -w net.ipv4.conf.all.rp_filter=0 >/dev/null
  local from
  for from in member gw; do
    eventually reaches_by router "$from" 203.0.113.1
    eventually reaches_by router "$from" 2001:db8:203::1
  done
}

# stream_lost_nothing PID: that stream has gone on until now, and all of its bytes have arrived.
stream_lost_nothing() {
  running "$1" || fail "the stream ended"
  touch "$dir/stream/stop"
  eventually gone "$1"
  wait "$1" || fail "the stream lost bytes"
}
