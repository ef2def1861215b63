#!/usr/bin/env bash
# With its configuration and without its state, as a backup of /etc has it, the server starts: its
# clients keep their addresses of both families, and it says that they need another file.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/server_lib.sh"
server_topology
start_server
of_server '.subnets[]' >"$dir/subnets"
of_peer first '.addresses[]' >"$dir/addresses"
stop "$server"
refute grep 'new one was made' "$dir/server.log"

step "the state is lost"
rm -r /var/lib/ginnel
manage peer list | finds first
start_server
grep -q 'there was no key in /var/lib/ginnel/server.key, so a new one was made' "$dir/server.log"
of_server '.subnets[]' | diff "$dir/subnets" -
of_peer first '.addresses[]' | diff "$dir/addresses" -

step "another file, and the client is back"
start_client client first
eventually reaches client 203.0.113.1
eventually reaches client 2001:db8:f::1
