#!/usr/bin/env bash
# While garbage, cut-off messages and recorded datagrams of the tunnel itself pour in from a third
# host, a TCP connection through the tunnel goes on and is right to its last byte; none of it moves
# the peer, and all of it is counted by cause.
#
#   left 192.0.2.1 ──── 192.0.2.2 right 198.51.100.2 ──── 198.51.100.1 attacker
source "$(dirname "$0")/dev_lib.sh"
two_ends
link attacker 198.51.100.1/24 right 198.51.100.2/24
start right
start left
serve right
attack() { in_ns attacker "$tests/netns/hostile.py" "$1" 198.51.100.2 51822 "${@:2}"; }
recorded() { (($(count tunnel) >= $1)); }

capture tunnel right to-left -c 3000 dst port 51822
stream left 10.9.0.2
eventually recorded 2000
for kind in garbage 'initiations' "replay"; do
  step "$kind"
  case $kind in
    replay) attack replay 20000 "$dir/tunnel.pcap" ;;
    *) attack "$kind" 20000 ;;
  esac
  stream_moves
done
end_stream

step "it changed nothing, and was counted"
[[ $(in_ns right wg show wg-right endpoints | cut -f2) == 192.0.2.1:51821 ]]
for cause in too_short bad_length unknown_type reserved_not_zero unknown_session bad_mac1 replayed; do
  (($(counter right "drop_$cause") > 0)) || fail "drop_$cause counted nothing"
done
reaches left fd09::2
