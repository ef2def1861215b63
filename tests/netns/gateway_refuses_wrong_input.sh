#!/usr/bin/env bash
# What is wrong with a gateway's files, flags or host is one line that names it, and nothing on the
# host is changed.
source "$(dirname "$0")/gateway_lib.sh"
gateway_topology
two_providers
good=$(</etc/wireguard/nl.conf)
state() {
  in_ns gw ip -4 route show table all
  in_ns gw ip -6 route show table all | sed 's/expires [^ ]*//'
  in_ns gw ip rule show
  in_ns gw ip -6 rule show
  in_ns gw ip -o link show
  in_ns gw nft --stateless list ruleset
  in_ns gw sysctl net.ipv4.ip_forward net.ipv6.conf.all.forwarding net.ipv4.conf.all.rp_filter
}
state >"$dir/before"

# refused CODE TEXT ARGS...
refused() {
  local code=$1 text=$2 status=0
  shift 2
  in_ns gw timeout 20 "$GINNEL" gateway "$@" >"$dir/out" 2>"$dir/err" || status=$?
  ((status == code)) || fail "$*: status $status: $(<"$dir/err")"
  [[ $(tail -n 1 "$dir/err") == "gateway: "*"$text"* ]] || fail "$*: $(<"$dir/err")"
  state >"$dir/after"
  diff "$dir/before" "$dir/after" || fail "$*: the host was changed"
}
with() { sed "$1" <<<"$good" >/etc/wireguard/bad.conf; }

refused 2 'CONF' --lan to-member
refused 2 '--lan is missing' nl
refused 1 'nobody.conf: there is no such file' nobody --lan to-member
refused 1 '--lan: there is no interface eth7' nl --lan eth7
refused 2 '--fwmark: "0"' nl --lan to-member --fwmark 0
refused 2 'contradict' nl --lan to-member --kill-switch --no-kill-switch
refused 2 'both name the interface nl' nl /etc/wireguard/../wireguard/nl.conf --lan to-member
refused 6 'lies in 10.2.0.0/16' nl --lan to-member --local 10.2.0.0/16
with 's/^PrivateKey.*//'
refused 2 'bad.conf: [Interface] has no PrivateKey' bad --lan to-member
with 's/^Endpoint.*//'
refused 2 'bad.conf:5: Endpoint is missing' bad --lan to-member
with 's/^AllowedIPs.*/AllowedIPs = 10.0.0.0\/8/'
refused 2 'bad.conf:5: AllowedIPs: ' bad --lan to-member
with 's/^Address.*/Address = 10.2.0.300/'
refused 2 'bad.conf:3: Address: ' bad --lan to-member
with 's/^Endpoint.*/Endpoint = nobody.invalid:51820/'
refused 4 'bad.conf:8: Endpoint: look up nobody.invalid' bad --lan to-member
ip -n gw link add nl type bridge
state >"$dir/before"
refused 6 'interface nl exists' nl --lan to-member
ip -n gw link del nl
state >"$dir/before"

step "a second gateway"
start_gateway nl --lan to-member
state >"$dir/before"
refused 6 'gateway' se --lan to-member
eventually reaches_by nl member 203.0.113.1
