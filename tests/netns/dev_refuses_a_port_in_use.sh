#!/usr/bin/env bash
# A port that another interface has, in either family, is refused by stock wg's words, and the old
# port stays; one's own port may be given up and taken again as fast as one likes.
source "$(dirname "$0")/dev_lib.sh"
two_ends
conf left right
start left
run_daemon other left "$GINNEL" dev other --foreground
eventually in_ns left wg show other
port_of() { in_ns left wg show "$1" listen-port; }

refused() {
  local before said
  before=$(port_of other)
  said=$(in_ns left wg set other listen-port "$1" 2>&1) && fail "port $1 was accepted"
  [[ $said == *"Address already in use"* ]] || fail "wg said: $said"
  [[ $(port_of other) == "$before" ]] || fail "the port changed"
  in_ns left ss -Hlun | finds ":$before " || fail "it does not listen any more"
  grep -q "$1.*$2" "$dir/other.log" || fail "the log does not name $2"
}
step "another interface has it"
refused 51821 ginnel
step "another program has it, for IPv6 only"
run_daemon holder left socat -u UDP6-RECV:7777,ipv6only=1 STDOUT
eventually in_ns left bash -c 'ss -Hlun | grep -q :7777'
refused 7777 socat

step "one's own, back and forth"
for _ in {1..20}; do
  in_ns left wg set other listen-port 6001
  in_ns left wg set other listen-port 6002
done
[[ $(port_of other) == 6002 ]]
