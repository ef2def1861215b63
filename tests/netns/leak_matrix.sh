#!/usr/bin/env bash
# The matrix: every leak class, both families, local, forwarded and from a container, in every state
# and while everything is taken away, by the certificates of several locks. Each class that packets
# can show has cells that passed, and none that did not. With `./x test --all` all locks there are.
# The certificates are kept in build/certificates.
source "$(dirname "$0")/gateway_lib.sh"
gateway_topology
two_providers
ip -n gw link add br0 type bridge
address gw br0 10.88.0.1/24,fd88::1/64
ip -n gw link set br0 up
ip -n gw link add port-one type veth peer name eth0 netns member
ip -n gw link set port-one master br0 up
ip -n member link set eth0 up
kept=$(realpath "$tests/..")/build/certificates
mkdir -p "$kept"
provider_net[six]=102 provider_key[six]=$(wg genkey)
conf six 10.4.0.2/32,fd04::2/128 10.4.0.1 '[2001:db8:102::1]:51820'

# lock NAME VERB ARGS...: a certificate of what the verb would lock.
lock() {
  local name=$1 verb=$2
  shift 2
  step "$name: $verb $*"
  in_ns gw "$GINNEL" "$verb" test --json "$@" >"$kept/$name.json" 2>"$dir/$name.log" || {
    python3 "$tests/netns/leak_matrix.py" "$kept/$name.json" >&2 || true
    fail "$name is not certified"
  }
}

rm -f "$kept"/*.json
lock gateway gateway nl --lan to-member
lock gateway-bridge gateway nl --lan br0
lock gateway-six gateway six --lan to-member
lock tunnel killswitch nl
lock closed killswitch --lan-access
if [[ -n ${GINNEL_TEST_ALL:-} ]]; then
  lock gateway-two gateway nl se --lan to-member --lan br0 --local 192.0.2.0/24
  lock gateway-ipv4 gateway se --lan to-member
  lock gateway-no-ipv6 gateway nl --lan to-member --block-ipv6
  lock gateway-managed gateway nl --lan to-member --manage 192.0.2.64/26
  lock tunnel-ipv4 killswitch se
  lock tunnel-lan killswitch nl --lan-access
  lock tunnel-allowed killswitch nl --allow 192.0.2.0/24 --allow 2001:db8:77::/64 --allow 224.0.0.251/32
  lock tunnel-plain killswitch nl --plain-tables
  lock tunnel-marked killswitch nl --fwmark 51820
fi

step "every class is proven"
python3 "$tests/netns/leak_matrix.py" "$kept"/*.json
