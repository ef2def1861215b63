#!/usr/bin/env bash
# `ginnel killswitch test` attacks a twin of the lock, before it stands and while it does. Nothing
# escapes, every attack was seen with the lock off, and the host is as it was.
source "$(dirname "$0")/killswitch_lib.sh"

certified() { # NAME ARGS...
  local name=$1
  shift
  killswitch test --json "$@" >"$dir/$name.json" 2>"$dir/$name.log" || {
    killswitch test "$@" >&2 || true
    fail "$name is not certified"
  }
}
what() { python3 -c 'import json,sys; c = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$dir/$1.json" "$2"; }
state_of_host() {
  in_ns host ip -j addr | python3 -c 'import json,sys
for link in json.load(sys.stdin):
    for address in link["addr_info"]: print(link["ifname"], address["local"])'
  in_ns host ip rule
  in_ns host ip -6 rule
  pgrep -c ginnel
  in_ns host ip route show table all
  in_ns host nft -s list ruleset
}

step "a host with a LAN and a tunnel"
make_network
make_tunnel
state_of_host >"$dir/before"

step "before it is locked"
certified planned wg0
[[ $(what planned 'c["verdict"]') == passed ]]
[[ $(what planned 'c["escaped"]') == 0 ]]

step "the host is as it was"
state_of_host >"$dir/after"
diff "$dir/before" "$dir/after"

step "killed in the middle it leaves nothing"
spaces() { lsns -t net -n -o NS | wc -l; }
before=$(spaces)
in_twin() { (($(spaces) > before)); }
run_daemon killed host "$GINNEL" killswitch test wg0
eventually in_twin
stop "$daemon" KILL
back() { (($(spaces) == before)); }
eventually back
state_of_host | diff "$dir/before" -

step "by flags alone"
certified marked --fwmark 0x4242

step "while it is locked, by its record: as what it was locked with, before"
beside=(wg0 --split-uid 1000 --split-dns --dns 10.9.0.9)
certified beside "${beside[@]}"
killswitch on "${beside[@]}"
certified standing
[[ $(what standing 'c["ruleset"]') == $(what beside 'c["ruleset"]') ]]
killswitch on wg0
certified standing
[[ $(what standing 'c["ruleset"]') == $(killswitch status --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["hash"])') ]]
through_tunnel
armed

step "without a tunnel"
killswitch off
killswitch on
certified closed
killswitch off
refute killswitch test
