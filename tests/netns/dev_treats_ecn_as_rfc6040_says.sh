#!/usr/bin/env bash
# Outside a tunnel nobody sees the DSCP of what is in it, and everybody its ECN bits, over both
# families; where the network marks congestion, the inner packet says so, or is dropped and counted
# when its sender would not understand. Joined segments of TCP are marked like any others.
source "$(dirname "$0")/dev_lib.sh"
two_ends

# What arrives at right: outside by mark, inside by mark and by DSCP.
in_ns right nft -f - <<'NFT'
table inet watch {
  counter outer_0 {}
  counter outer_1 {}
  counter outer_2 {}
  counter outer_3 {}
  counter outer_dscp {}
  counter inner_0 {}
  counter inner_1 {}
  counter inner_2 {}
  counter inner_3 {}
  counter inner_ef {}
  counter segments_3 {}
  chain outside {
    type filter hook prerouting priority raw
    iifname "to-left" udp dport 51822 goto datagram
    iifname "wg-right" goto packet
  }
  chain datagram {
    ip dscp != cs0 counter name outer_dscp
    ip6 dscp != cs0 counter name outer_dscp
    ip ecn not-ect counter name outer_0
    ip ecn ect1 counter name outer_1
    ip ecn ect0 counter name outer_2
    ip ecn ce counter name outer_3
    ip6 ecn not-ect counter name outer_0
    ip6 ecn ect1 counter name outer_1
    ip6 ecn ect0 counter name outer_2
    ip6 ecn ce counter name outer_3
    goto congestion
  }
  chain congestion {
  }
  chain packet {
    udp dport 9 jump inner
    tcp dport 7000 ip ecn ce counter name segments_3
    tcp dport 7000 ip6 ecn ce counter name segments_3
  }
  chain inner {
    ip dscp ef counter name inner_ef
    ip6 dscp ef counter name inner_ef
    ip ecn not-ect counter name inner_0
    ip ecn ect1 counter name inner_1
    ip ecn ect0 counter name inner_2
    ip ecn ce counter name inner_3
    ip6 ecn not-ect counter name inner_0
    ip6 ecn ect1 counter name inner_1
    ip6 ecn ect0 counter name inner_2
    ip6 ecn ce counter name inner_3
  }
}
NFT
packets_of() { in_ns right nft list counter inet watch "$1" | sed -n 's/.*packets \([0-9]*\).*/\1/p'; }
reset() { in_ns right nft reset counters table inet watch >/dev/null; }
# congest [MARK]: what the network does to each datagram, or to those with that mark.
congest() {
  in_ns right nft add rule inet watch congestion ip ecn "${1:-<= 3}" ip ecn set ce
  in_ns right nft add rule inet watch congestion ip6 ecn "${1:-<= 3}" ip6 ecn set ce
}
clear() { in_ns right nft flush chain inet watch congestion; }

# mark ADDRESS ECN: ten datagrams from left with DSCP EF and that ECN; each is larger than the one
# before, so that none are joined.
mark() {
  in_ns left python3 - "$1" "$2" <<'PYTHON'
import socket, sys
v6 = ":" in sys.argv[1]
out = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_DGRAM)
tos = 46 << 2 | int(sys.argv[2])
out.setsockopt(*((socket.IPPROTO_IPV6, socket.IPV6_TCLASS) if v6 else (socket.IPPROTO_IP, socket.IP_TOS)), tos)
for i in range(10):
    out.sendto(bytes(100 + 32 * i), (sys.argv[1], 9))
PYTHON
}
has() { (($(packets_of "$1") >= $2)); }
dropped() { counter right drop_congestion_marked; }
has_dropped() { (($(dropped) >= $1)); }

for outside in 192.0.2.2 '[2001:db8::2]'; do
  outer[right]=$outside
  conf left right
  start left
  start right
  for inside in 10.9.0.2 fd09::2; do
    eventually reaches left "$inside"
    step "$inside over $outside"
    for ecn in 0 1 2 3; do
      reset
      mark "$inside" "$ecn"
      eventually has "inner_$ecn" 10
      # Handshakes and keepalives are not marked, so there may be more of outer_0.
      has "outer_$ecn" 10 || fail "outside: $(packets_of "outer_$ecn") with ECN $ecn"
      [[ $(packets_of inner_ef) == 10 && $(packets_of outer_dscp) == 0 ]]
    done

    step "$inside over $outside, with congestion"
    congest
    for ecn in 1 2 3; do
      reset
      mark "$inside" "$ecn"
      eventually has inner_3 10
      [[ $(packets_of inner_ef) == 10 ]]
    done
    before=$(dropped)
    reset
    mark "$inside" 0
    eventually has_dropped $((before + 10))
    [[ $(packets_of inner_ef) == 0 ]] || fail "a packet that should be dropped came through"
    clear
  done
  stop "${pid[left]}"
  stop "${pid[right]}"
done

step "a stream of TCP that understands ECN"
start left
start right
for end in left right; do in_ns "$end" sysctl -qw net.ipv4.tcp_ecn=1; done
serve right
reset
echoes left tcp 10.9.0.2 3000000
[[ $(packets_of segments_3) == 0 ]]
congest ect0
echoes left tcp 10.9.0.2 3000000
has segments_3 20 || fail "only $(packets_of segments_3) segments were marked"
(($(counter right tun_super_packets_written) > 0)) || fail "nothing was joined"
