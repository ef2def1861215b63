#!/usr/bin/env bash
# An interface of MTU 9000 carries its packets whole over a link that is wide enough, and in fragments
# over one that is not; so does one whose MTU was changed while it ran.
source "$(dirname "$0")/dev_lib.sh"
two_ends
wide() { ip -n left link set to-right mtu "$1" && ip -n right link set to-left mtu "$1"; }
wide 9216
start right "$GINNEL" dev wg-right --foreground --mtu 9000
start left "$GINNEL" dev wg-left --foreground
serve right
[[ $(in_ns right cat /sys/class/net/wg-right/mtu) == 9000 ]]
ip -n left link set wg-left mtu 9000

carries() {
  for address in 10.9.0.2 fd09::2; do
    echoes left udp "$address" 1 8000 8952 8972 20000
    echoes left burst "$address" 8900 20
    echoes left tcp "$address" 10000000
  done
}
step "whole"
capture wire left to-right udp
carries
# Joined ones count as one, and tcpdump may be late or miss some.
seen() { (($(count wire 'udp[4:2] > 8800') > 100)); }
eventually seen

step "in fragments"
wide 1500
carries
