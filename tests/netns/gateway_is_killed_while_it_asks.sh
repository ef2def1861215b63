#!/usr/bin/env bash
# A gateway that is killed while it asks for its peer's name in clear leaves no way out: the watcher
# takes the exception away, and where nobody watches, the kernel does.
source "$(dirname "$0")/gateway_lib.sh"
gateway_topology
two_providers
conf nl 10.2.0.2/32,fd02::2/128 10.2.0.1 nl.example:51820
printf 'nameserver 192.0.2.1\n' >/etc/resolv.conf
# The server says nothing, not even that it is none.
in_ns router nft 'add table ip hush; add chain ip hush in { type filter hook input priority 0; };
  add rule ip hush in udp dport 53 drop'
capture wire router to-gw "port 53 and ether src $(in_ns gw cat /sys/class/net/to-router/address)"

# What the exception is for, in the hands of another program: a question with the mark.
ask_marked() {
  in_ns gw python3 - <<'PYTHON'
import socket
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
    one.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, 0x8888)
    one.sendto(b'\0\7\1\0\0\1\0\0\0\0\0\0\6marked\4test\0\0\1\0\1', ('192.0.2.1', 53))
PYTHON
}
questions() { packets wire | grep -c 'marked\.test' || true; }
are_over() { (($(questions) > $1)); }
gets_out() {
  local before
  before=$(questions)
  ask_marked && (wait_for 2 are_over "$before")
}
begin_to_ask() {
  rm -f "$dir/gateway.log"
  run_daemon gateway gw "$GINNEL" gateway nl --lan to-member
  gateway=$daemon
  eventually grep -q 'asking for nl.example in clear' "$dir/gateway.log"
  in_ns gw "$GINNEL" killswitch status --json >"$dir/status" || true # Nobody may watch yet.
  [[ $(<"$dir/status") == *'"resolvers":["192.0.2.1:53"]'* ]]
  gets_out
}
in_sets() { in_ns gw nft list sets | finds "$1"; }

step "somebody watches"
in_ns gw "$GINNEL" killswitch on
refute gets_out 2>"$dir/refused"
begin_to_ask
stop "$gateway" KILL
no_set() { ! in_sets resolvers4-53; }
eventually no_set
eventually in_ns gw "$GINNEL" killswitch status
refute gets_out 2>"$dir/refused"

step "nobody does"
begin_to_ask
watcher=$(pgrep -x ginnel-watcher)
kill -9 "$watcher"
stop "$gateway" KILL
in_sets resolvers4-53
forgotten() { ! in_sets '192\.0\.2\.1'; }
wait_for 40 forgotten
in_sets resolvers4-53 # The rules stand as they did.
refute gets_out 2>"$dir/refused"

step "the next one may ask again"
begin_to_ask
stop "$gateway"
eventually no_set
