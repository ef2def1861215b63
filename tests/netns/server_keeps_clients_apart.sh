#!/usr/bin/env bash
# Clients of `ginnel server` do not reach each other, in neither family, until client_to_client says
# so in its file, and from a reload on, without a new session, they do.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/server_lib.sh"

step "two clients that reach the internet"
server_topology
client_host other 1
start_server
manage peer add anna >"$dir/anna-add.log"
start_client client first
start_client other anna
eventually reaches client 203.0.113.1
eventually reaches other 203.0.113.1
anna4=$(of_peer anna '.addresses[0]')
anna6=$(of_peer anna '.addresses[1]')
sessions=$(of_peer anna .handshakes)

step "but not each other"
reaches client 10.200.100.1 || fail "not even the server answers"
for address in "$anna4" "$anna6"; do refute reaches client "$address"; done
[[ $(of_server .client_to_client) == false ]]

step "until it is allowed"
printf '[server]\nclient_to_client = true\n' >/etc/ginnel/server.toml
manage server reload | finds client_to_client
for address in "$anna4" "$anna6"; do eventually reaches client "$address"; done

step "one way only, where a rule says so"
first4=$(of_peer first '.addresses[0]')
manage peer set first --deny "$anna4" >"$dir/set.log"
refute reaches client "$anna4"
reaches client "$anna6"
reaches other "$first4"
manage peer set first --no-deny >"$dir/set.log"
reaches client "$anna4"

step "and again after it is not, although the kernel knows the connections"
rm /etc/ginnel/server.toml
manage server reload | finds client_to_client
for address in "$anna4" "$anna6"; do refute reaches client "$address"; done
reaches client 203.0.113.1 || fail "the internet went away with it"
[[ $(of_peer anna .handshakes) == "$sessions" ]] || fail "a session ended"
