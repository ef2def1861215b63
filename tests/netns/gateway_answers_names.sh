#!/usr/bin/env bash
# A gateway answers its LAN's questions for names by the tunnel's server alone: asked directly or by a
# member's own stub resolver, over UDP and TCP. Every other server is refused, the one that DHCP named
# among them, and without a tunnel nobody is asked.
source "$(dirname "$0")/gateway_lib.sh"
gateway_topology
two_providers
printf 'nameserver 192.0.2.1\n' >/etc/resolv.conf

# server NAME NS ADDRESS ANSWER: a DNS server that knows host.test.
server() {
  run_daemon "$1" "$2" dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --user=root \
    --pid-file= --bind-interfaces --listen-address="$3" --except-interface=lo --address=/host.test/"$4"
  eventually in_ns "$2" dig +short +time=1 +tries=1 "@$3" host.test
}
server names-nl nl 10.2.0.1 203.0.113.1
server names-router router 192.0.2.1 192.0.2.66
asks() { in_ns "$1" dig +short +time=2 +tries=1 "${@:2}" host.test; }
[[ $(asks gw @192.0.2.1) == 192.0.2.66 ]]  # The wiring works, and a leak would be seen.

start_gateway nl --lan to-member
watch_wire

step "a member asks the gateway"
eventually asks member @10.100.0.2
[[ $(asks member @10.100.0.2) == 203.0.113.1 ]]
[[ $(asks member +tcp @10.100.0.2) == 203.0.113.1 ]]
[[ $(asks member @fd10::2) == 203.0.113.1 ]]

step "a member with a stub resolver of its own, which forwards to the gateway"
run_daemon stub member dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --user=root \
  --pid-file= --bind-interfaces --listen-address=127.0.0.53 --cache-size=0 --server=10.100.0.2
eventually asks member @127.0.0.53
[[ $(asks member @127.0.0.53) == 203.0.113.1 ]]

step "the gateway itself, by what /etc/resolv.conf says"
grep -qx 'nameserver 10.2.0.1' /etc/resolv.conf
[[ $(asks gw) == 203.0.113.1 ]]

step "nobody else is asked"
for from in member gw; do
  refute asks "$from" @192.0.2.1
  refute asks "$from" @203.0.113.1
  refute asks "$from" +tcp @192.0.2.1
done
no_leaks

step "without the tunnel, nobody is"
ip -n nl link del peer-nl
for from in @10.100.0.2 @127.0.0.53; do
  in_ns member dig +time=2 +tries=1 "$from" other.test >"$dir/answer" || true
  refute grep -q 'status: NOERROR' "$dir/answer"
done
no_leaks
stop "$gateway"
grep -qx 'nameserver 192.0.2.1' /etc/resolv.conf
refute asks gw @192.0.2.1
no_leaks
