#!/usr/bin/env bash
# A client that made its own key is added by its public key: `ginnel server` never holds a private
# key of it, prints a file to put it into, and carries its traffic. `peer forget-key` erases one
# that was made here, and that client goes on working too.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/server_lib.sh"

step "a client with a key of its own"
server_topology
client_host other 1
start_server
private=$(wg genkey)
manage peer add anna --public-key "$(wg pubkey <<<"$private")" >"$dir/add.log"
refute grep -rq private_key /etc/ginnel/peers.d/anna.toml
[[ $(of_peer anna .has_private_key) == false ]]

step "its file is whole but for the key"
umask 077
manage peer config anna >"$dir/anna.conf"
refute grep -q '^PrivateKey' "$dir/anna.conf"
fails 1 'private key' peer qr anna
sed -i "/^DNS/d; /^#.*PrivateKey/d; s|^\[Interface\]|&\nPrivateKey = $private|" "$dir/anna.conf"
stock_up other "$dir/anna.conf"
eventually reaches other 203.0.113.1
eventually reaches other 2001:db8:f::1

step "nowhere, in nothing that the server wrote"
refute grep -rqF "$private" /etc/ginnel /var/lib/ginnel "$dir/server.log"

step "a key that was made here is forgotten"
start_client client first
eventually reaches client 203.0.113.1
made=$(sed -n 's/^private_key = "\(.*\)"/\1/p' /etc/ginnel/peers.d/first.toml)
[[ -n $made ]]
manage peer forget-key first
refute grep -rqF "$made" /etc/ginnel /var/lib/ginnel "$dir/server.log"
[[ $(of_peer first .has_private_key) == false ]]
reaches client 203.0.113.1 || fail "the client lost its way"

step "no key is in what the verbs tell"
manage peer add cleo >"$dir/cleo.log"
secret=$(sed -n 's/^private_key = "\(.*\)"/\1/p' /etc/ginnel/peers.d/cleo.toml)
shared=$(sed -n 's/^preshared_key = "\(.*\)"/\1/p' /etc/ginnel/peers.d/cleo.toml)
{
  manage peer list --json
  manage peer show cleo
  manage server status --json
  cat "$dir/server.log" "$dir/cleo.log"
} >"$dir/told"
refute grep -qF -e "$secret" -e "$shared" -e "$(cat /var/lib/ginnel/server.key)" "$dir/told"
