#!/usr/bin/env bash
# TCP and UDP of both families pass between ginnel and wireguard-go, both ways, byte for byte.
source "$(dirname "$0")/dev_lib.sh"
two_ends
up right wireguard-go
up left ginnel-dev
head -c 20000000 /dev/urandom >"$dir/sent"

# transfer FROM TO FAMILY ADDRESS
transfer() {
  step "TCP over IPv$3, $1 to $2"
  in_ns "$2" socat -u "TCP$3-LISTEN:7000,reuseaddr" "OPEN:$dir/got,creat,trunc" &
  local listener=$!
  eventually in_ns "$2" bash -c "ss -Hltn | grep -q :7000"
  in_ns "$1" socat -u "OPEN:$dir/sent" "TCP$3:$4:7000"
  wait "$listener"
  cmp "$dir/sent" "$dir/got"
}
transfer left right 4 10.9.0.2
transfer right left 4 10.9.0.1
transfer left right 6 '[fd09::2]'
transfer right left 6 '[fd09::1]'

# echo_of FROM ADDRESS SIZE: one UDP datagram there and back.
in_ns right socat UDP6-RECVFROM:7001,fork,ipv6only=0 EXEC:cat &
eventually in_ns right bash -c "ss -Hlun | grep -q :7001"
step "UDP of every kind of size"
for address in 10.9.0.2 '[fd09::2]'; do
  for size in 1 15 16 17 1000 1372 2000 5000; do
    head -c "$size" /dev/urandom >"$dir/datagram"
    echoed() {
      in_ns left socat -t 1 - "UDP:$address:7001" <"$dir/datagram" >"$dir/echo"
      cmp -s "$dir/datagram" "$dir/echo"
    }
    eventually echoed
  done
done
