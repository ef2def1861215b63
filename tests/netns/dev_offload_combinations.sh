#!/usr/bin/env bash
# Whatever is switched off, and whatever library encrypts, every byte arrives: TCP and UDP of both
# families, both ways, in bursts that the kernel hands over joined and one by one.
source "$(dirname "$0")/dev_lib.sh"
two_ends
start right
serve right

carries_with() {
  step "${*:-everything on}"
  start left "$GINNEL" dev wg-left --foreground "$@"
  for address in 10.9.0.2 fd09::2; do
    echoes left burst "$address" 1372 100
    echoes left burst "$address" 100 200
    echoes left tcp "$address" 3000000
  done
  stop "${pid[left]}"
}
carries_with
carries_with --no-tun-offload
carries_with --no-tun-tso4
carries_with --no-tun-tso6 --no-tun-uso
carries_with --no-udp-gso
carries_with --no-udp-gso4 --no-udp-gro6
carries_with --no-udp-gro
carries_with --no-udp-gro4 --no-udp-gso6
carries_with --no-tun-offload --no-udp-gso --no-udp-gro --workers 1
carries_with --aead openssl --workers 4
if [[ $(uname -m) == x86_64 ]]; then
  carries_with --aead ipsec-mb-sse --workers 2
  carries_with --aead ipsec-mb-sse --no-tun-offload
fi
