#!/usr/bin/env bash
# The rules that `ginnel server --open-firewall` adds to other tables, for the port and for what is
# forwarded, are removed by the next start after SIGKILL, when that does not want them, and at the
# end of a server that does.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/server_lib.sh"

rules() { in_ns server nft -s list table inet filter; }
is_as_before() { rules | diff "$dir/before" -; }
opened() { rules | grep -c 'comment "ginnel:server:wg0"' || true; }

step "a firewall with a policy for what is forwarded, and a reject at the end of what comes in"
server_topology
in_ns server nft -f - <<'RULES'
table inet filter {
  chain input {
    type filter hook input priority 0;
    ct state established,related accept
    iif lo accept
    meta l4proto ipv6-icmp accept
    tcp dport 22 accept
    reject with icmpx admin-prohibited
  }
  chain forward { type filter hook forward priority 0; policy drop; }
}
RULES
rules >"$dir/before"

step "opened: a client gets in and through"
start_server --open-firewall
[[ $(of_server .state) == online ]]
(($(opened) >= 2)) || fail "not opened: $(rules)"
start_client client first
eventually reaches client 203.0.113.1
eventually reaches client 2001:db8:f::1

step "opened once, however often the host's networking changes"
rules >"$dir/opened"
ip -n server addr add 192.0.2.99/32 dev to-client
manage server reload
rules | diff "$dir/opened" -

eventually has_noted 192.0.2.2

step "killed: the next start, without the flag, closes it"
stop "$server" KILL
rules | diff "$dir/opened" -
start_server
is_as_before
[[ $(of_server .state) == blocked ]]
stop "$server"

step "killed again: the next start with the flag has it once, and ends as before"
start_server --open-firewall
stop "$server" KILL
start_server --open-firewall
(($(opened) == $(grep -c 'comment "ginnel' "$dir/opened"))) || fail "not once: $(rules)"
eventually reaches client 203.0.113.1
stop "$server"
((status == 0)) || fail "exit code $status"
is_as_before
