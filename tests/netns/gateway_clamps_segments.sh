#!/usr/bin/env bash
# A LAN member whose link takes more than the tunnel announces too large TCP segments: the gateway
# corrects them both ways, with its kill switch and without, so that bulk data passes although nobody
# on the way tells what is too large.
source "$(dirname "$0")/gateway_lib.sh"
gateway_topology
two_providers
sed -i '/^Address/a MTU = 1300' /etc/wireguard/nl.conf
in_ns gw nft -f - <<'RULES'
table inet silence {
  chain out {
    type filter hook output priority 100;
    oifname "to-member" icmp type destination-unreachable drop
    oifname "to-member" icmpv6 type packet-too-big drop
  }
}
RULES
run_daemon iperf nl iperf3 -s

# announced NAME FILTER FLAGS: the segment sizes in what was captured.
announced() { packets "$1" "$2" | sed -n "s/.*Flags \[$3\].*mss \([0-9]*\).*/\1/p" | sort -u; }
clamped() { # NAME FILTER FLAGS SIZE
  local sizes
  sizes=$(announced "$1" "$2" "$3")
  [[ $sizes == "$4" ]] || fail "$2: announced \"$sizes\", not $4"
}

for lock in --kill-switch --no-kill-switch; do
  step "$lock"
  start_gateway nl --lan to-member "$lock"
  eventually reaches_by nl member 203.0.113.1
  capture "provider$lock" nl peer-nl 'tcp port 5201'
  capture "lan$lock" member to-gw 'tcp port 5201'
  for address in 203.0.113.1 2001:db8:203::1; do
    eventually in_ns member iperf3 -c "$address" -n 2M --connect-timeout 2000
    eventually in_ns member iperf3 -R -c "$address" -n 2M --connect-timeout 2000
  done
  # 1300 less the headers of IPv4 and IPv6.
  clamped "provider$lock" 'src 10.2.0.2' S 1260
  clamped "provider$lock" 'src fd02::2' S 1240
  clamped "lan$lock" 'src 203.0.113.1' S. 1260
  clamped "lan$lock" 'src 2001:db8:203::1' S. 1240
  [[ $(announced "lan$lock" 'src 10.100.0.3' S) == 1460 ]] || fail "nothing had to be corrected"
  stop "$gateway"
  in_ns gw "$GINNEL" killswitch off
done
