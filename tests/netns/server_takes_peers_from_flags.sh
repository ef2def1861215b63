#!/usr/bin/env bash
# Clients that are named on the command line, `--peer KEY --peer-ip CIDR` or `--peer KEY,CIDR`, or
# in a file by `[[peer]]`, get through `ginnel server` with keys that they made themselves; no
# client is made besides them.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/server_lib.sh"

# client_file NAME ADDRESS: a wg-quick file written by hand, with the key $dir/NAME.key.
client_file() {
  (
    umask 077
    printf '[Interface]\nPrivateKey = %s\nAddress = %s\n[Peer]\nPublicKey = %s\n' \
      "$(cat "$dir/$1.key")" "$2" "$(wg pubkey <"$dir/server.key")"
    printf 'AllowedIPs = 0.0.0.0/0\nEndpoint = 192.0.2.1:51999\n'
  ) >"$dir/$1.conf"
}

step "keys made by wg"
server_topology
client_host other 1
umask 077
for name in server anna bert; do wg genkey >"$dir/$name.key"; done
anna=$(wg pubkey <"$dir/anna.key")
bert=$(wg pubkey <"$dir/bert.key")
client_file anna 10.50.0.2/32
client_file bert 10.50.0.3/32
common=(--private-key-file "$dir/server.key" --listen 0.0.0.0:51999 --subnet 10.50.0.0/24)
works() {
  (($(of_server .peers) == 2)) || fail "not two peers"
  stock_up client "$dir/anna.conf"
  stock_up other "$dir/bert.conf"
  for ns in client other; do eventually reaches "$ns" 203.0.113.1; done
  in_ns client wg-quick down "$dir/anna.conf" >"$dir/down.log" 2>&1
  in_ns other wg-quick down "$dir/bert.conf" >"$dir/down.log" 2>&1
  stop "$server"
  [[ -z $(find /etc/ginnel -name '*.toml' ! -name server.toml) ]] || fail "a client was made"
}

step "flags in pairs, and in one"
start_server "${common[@]}" --outbound-interface to-internet \
  --peer "$anna" --peer-ip 10.50.0.2/32 --peer "$bert,10.50.0.3/32"
works

step "a file"
cat >"$dir/server.toml" <<TOML
[server]
private_key_file = "$dir/server.key"
listen_addr = "0.0.0.0:51999"
subnet = "10.50.0.0/24"

[[peer]]
public_key = "$anna"
allowed_ips = ["10.50.0.2/32"]

[[peer]]
public_key = "$bert"
allowed_ips = ["10.50.0.3/32"]
TOML
start_server --config "$dir/server.toml"
works

step "a client of the command line is changed there"
start_server "${common[@]}" --peer "$anna,10.50.0.2/32"
name=$(manage peer list --json | jq -r '.peers[0].name')
fails 6 'command line' peer disable "$name"
