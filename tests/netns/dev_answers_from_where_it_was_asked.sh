#!/usr/bin/env bash
# A server with several addresses answers from the one that the client spoke to, handshakes and data
# alike, over both families; a client behind a firewall would not get anything else.
source "$(dirname "$0")/dev_lib.sh"
two_ends
address right to-left 192.0.2.22/24,2001:db8::22/64
start right
serve right
# For IPv6 the kernel would take the address that was added last.
ip -n right addr add 2001:db8::99/64 dev to-left

for asked in 192.0.2.22 2001:db8::22; do
  step "$asked"
  outer[right]=$asked family=ip
  [[ $asked != *:* ]] || outer[right]="[$asked]" family=ip6
  conf left right
  start left
  # In the other family there may be leftovers of the round before.
  capture "answers-$asked" left to-right "$family and udp src port 51822"
  echoes left tcp 10.9.0.2 1000000
  echoes left udp fd09::2 100 1372 4000
  (($(count "answers-$asked" src host "$asked") > 10))
  [[ $(count "answers-$asked" not src host "$asked") == 0 ]] || fail "it answered from elsewhere"
  stop "${pid[left]}"
done

