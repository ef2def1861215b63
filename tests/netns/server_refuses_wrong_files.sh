#!/usr/bin/env bash
# A file that does not parse changes nothing in a running `ginnel server`: `server reload`, SIGHUP
# and `peer add` say file, line, key and remedy, and clients, addresses and rules stay.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/server_lib.sh"

all_there_is() {
  host_state
  manage peer list --json
  manage server status --json | jq 'del(.uptime, .drops)'
  in_ns server wg show wg0 dump
}
# edit KEY LINE: anna's file with another line for the key.
edit() { sed "s/^$1 =.*/$2/" "$dir/good.toml" >$peers/anna.toml; }
# refused CODE PATTERN VERB...: and nothing changed.
refused() {
  fails "$@"
  all_there_is | diff "$dir/before" - || fail "something changed for $2"
}

step "a server with two clients"
server_topology
start_server
manage peer add anna >"$dir/add.log"
all_there_is >"$dir/before"
peers=/etc/ginnel/peers.d
cp $peers/anna.toml "$dir/good.toml"

step "server.toml"
printf '[server]\nmtu = 1400\nsubnett = "10.0.0.0/24"\n' >/etc/ginnel/server.toml
refused 2 'server.toml:3: subnett' server reload
refused 2 'server.toml:3: subnett' peer add bert
[[ ! -e $peers/bert.toml ]] || fail "a file was written"
printf '[server]\nmtu = "big"\n' >/etc/ginnel/server.toml
refused 2 'server.toml:2: mtu' server reload
printf '[server\n' >/etc/ginnel/server.toml
refused 2 'server.toml:1' server reload
rm /etc/ginnel/server.toml

step "a client's file"
edit public_key 'public_key = "nonsense"'
refused 2 'anna.toml:' server reload
edit addresses 'addresses = ["10.200.100.2"]'
refused 6 '10.200.100.2' server reload
edit addresses 'addresses = ["10.9.9.9"]'
refused 2 '10.9.9.9' server reload

step "SIGHUP says it in the log"
edit public_key 'public_key = "nonsense"'
kill -HUP "$server"
eventually grep -q 'error reload: nothing was changed: .*anna.toml:[0-9]*: ' "$dir/server.log"
all_there_is | diff "$dir/before" -

step "what needs a restart"
cp "$dir/good.toml" $peers/anna.toml
printf '[server]\ninterface = "wg7"\n' >/etc/ginnel/server.toml
refused 6 'restart' server reload
rm /etc/ginnel/server.toml

step "with good files again, all is well"
manage server reload | finds 'nothing had changed'
