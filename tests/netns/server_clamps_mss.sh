#!/usr/bin/env bash
# A client whose tunnel has a larger MTU than the server's announces too large TCP segments:
# `ginnel server` corrects them in both directions, so that bulk data passes although nobody on the
# way tells what is too large.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/server_lib.sh"

step "a client with an MTU of 1500, and nobody who answers with ICMP"
server_topology
start_server --mtu 1300
start_client client first
ip -n client link set first mtu 1500
in_ns server nft -f - <<'RULES'
table inet silence {
  chain out {
    type filter hook output priority 0;
    icmp type destination-unreachable drop
    icmpv6 type packet-too-big drop
  }
}
RULES
eventually reaches client 203.0.113.1
run_daemon iperf internet iperf3 -s

step "what the host outside is told, and what the client is"
capture outside internet to-server 'tcp port 5201'
capture inside client first 'tcp port 5201'
for address in 203.0.113.1 2001:db8:f::1; do
  eventually in_ns client iperf3 -c "$address" -n 2M --connect-timeout 2000
  eventually in_ns client iperf3 -R -c "$address" -n 2M --connect-timeout 2000
done
segments() { packets "$1" | sed -n 's/.*Flags \[S[.]*\].*mss \([0-9]*\).*/\1/p' | sort -u; }
for side in outside inside; do
  segments "$side" >"$dir/segments"
  [[ -s $dir/segments ]] || fail "no SYN was seen $side"
done
# 1300 less the headers of IPv4 and IPv6.
[[ $(packets outside 'src 203.0.113.2 and tcp[13] == 2' | grep -c 'mss 1260') -ge 2 ]]
[[ $(packets outside 'src 2001:db8:f::2' | grep 'Flags \[S\]' | grep -c 'mss 1240') -ge 2 ]]
[[ $(packets inside 'src 203.0.113.1' | grep 'Flags \[S.\]' | grep -c 'mss 1260') -ge 2 ]]
[[ $(packets inside 'src 2001:db8:f::1' | grep 'Flags \[S.\]' | grep -c 'mss 1240') -ge 2 ]]
