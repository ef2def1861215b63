#!/usr/bin/env bash
# On both sides and over both families, packets pass between ginnel and the kernel in bundles: what
# counts are its counters. Each offload that is switched off makes its own bundles end, and no other.
source "$(dirname "$0")/dev_lib.sh"
two_ends
start right
serve right

# What left moved while a TCP connection to ADDRESS took place: how it read, wrote, sent and received.
moves() {
  local address=$1
  shift
  start left "$GINNEL" dev wg-left --foreground "$@"
  echoes left tcp "$address" 5000000
  in_bundles read "$(counter left tun_super_packets_read)"
  in_bundles written "$(counter left tun_super_packets_written)"
  in_bundles sent $(($(counter left udp_datagrams_sent) - $(counter left udp_messages_sent)))
  in_bundles received $(($(counter left udp_datagrams_received) - $(counter left udp_messages_received)))
  stop "${pid[left]}"
}
in_bundles() { if (($2 > 0)); then printf '%s joined, ' "$1"; else printf '%s single, ' "$1"; fi; }
expect() {
  local found
  step "${*:2}, over $outside"
  found=$(moves "${@:2}")
  [[ $found == "$1" ]] || fail "$found"
}

all="read joined, written joined, sent joined, received joined, "
for outside in 192.0.2.2 '[2001:db8::2]'; do
  outer[right]=$outside
  conf left right
  [[ $outside == *:* ]] && ours=6 theirs=4 || ours=4 theirs=6
  for inside in 10.9.0.2 fd09::2; do
    expect "$all" "$inside"
    expect "${all/sent joined/sent single}" "$inside" "--no-udp-gso$ours" "--no-udp-gro$theirs"
    expect "${all/received joined/received single}" "$inside" "--no-udp-gro$ours" "--no-udp-gso$theirs"
    [[ $inside == *:* ]] && inner=6 || inner=4
    step "$inside --no-tun-tso$inner, over $outside"
    found=$(moves "$inside" "--no-tun-tso$inner" --no-tun-uso)
    [[ $found == "read single, written single, "* ]] || fail "$found"
  done
done
