#!/usr/bin/env bash
# The firewall mark set over the control socket is on every datagram from then on, transport and
# handshake, of both families, also after the port changed; and no more when it is turned off.
source "$(dirname "$0")/dev_lib.sh"
two_ends
start right
start left
in_ns left nft -f - <<'END'
table inet watch {
  chain out {
    type filter hook output priority 0
    udp dport 51822 meta mark 0 counter comment "none"
    udp dport 51822 meta mark 0x77 counter comment "0x77"
    udp dport 51822 meta mark 0x88 counter comment "0x88"
  }
}
END
# passed: how many datagrams had no mark, 0x77 and 0x88.
passed() {
  in_ns left nft -j list table inet watch | jq -c '[.nftables[].rule | .expr[]?.counter.packets // empty]'
}
# only NUMBER: talks, and sees only that rule count.
only() {
  local before after
  before=$(passed)
  eventually reaches left 10.9.0.2
  after=$(passed)
  jq -en --argjson a "$before" --argjson b "$after" --argjson n "$1" \
    '[range(3) | ($b[.] - $a[.] > 0) == (. == $n)] | all' >/dev/null || fail "$before, then $after"
}
# anew: forgets the session, so that the next packet begins with a handshake.
anew() {
  ip -n left link set wg-left down
  ip -n left link set wg-left up
}

step "no mark"
only 0
for address in 192.0.2.2 '[2001:db8::2]'; do
  step "a mark, to $address"
  in_ns left wg set wg-left peer "${public[right]}" endpoint "$address:51822"
  in_ns left wg set wg-left fwmark 0x77
  only 1
  anew
  only 1
  in_ns left wg set wg-left listen-port 0 fwmark 0x88
  only 2
  anew
  only 2
  in_ns left wg set wg-left listen-port 51821
  anew
  only 2
done
step "off"
in_ns left wg set wg-left fwmark off
only 0
anew
only 0
