#!/usr/bin/env bash
# TCP and UDP of both families pass between ginnel and wireguard-go, both ways, byte for byte.
source "$(dirname "$0")/dev_lib.sh"
two_ends
up right wireguard-go
up left ginnel-dev
serve left
serve right

for address in 10.9.0.2 fd09::2; do
  step "left asks $address"
  echoes left tcp "$address" 10000000
  echoes left udp "$address" 1 15 16 17 1000 1372 2000 5000
done
for address in 10.9.0.1 fd09::1; do
  step "right asks $address"
  echoes right tcp "$address" 10000000
  echoes right udp "$address" 1 15 16 17 1000 1372 2000 5000
done
