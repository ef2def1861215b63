#!/usr/bin/env bash
# Under the name `wireguard-go`, stock wg-quick uses ginnel without being told: interface and socket
# answer when `up` returns, traffic passes, and `down` leaves nothing.
source "$(dirname "$0")/dev_lib.sh"
mount --bind "$GINNEL" /usr/bin/wireguard-go
two_ends

step "up, at both ends"
for end in left right; do
  in_ns "$end" wg-quick up "wg-$end"
  [[ $(in_ns "$end" wg show "wg-$end" listen-port) == "5182${number[$end]}" ]]
  ip -n "$end" link show "wg-$end" up | finds 'mtu 1420'
done
for process in $(ip netns pids left); do
  [[ /proc/$process/exe -ef $GINNEL ]] || fail "$(readlink "/proc/$process/exe") runs"
done
eventually reaches left 10.9.0.2
reaches right fd09::1

step "down"
for end in left right; do
  in_ns "$end" wg-quick down "wg-$end"
  no_link "$end" "wg-$end" || fail "the interface stayed"
  [[ ! -e /var/run/wireguard/wg-$end.sock ]] || fail "the socket stayed"
  eventually no_process "$end"
done
