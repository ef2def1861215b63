#!/usr/bin/env bash
# What a client may open follows `ginnel peer set` and the files at once, also for a connection that
# is open: one that is not permitted any more ends, all else goes on, and nobody gets a new session.
# Both families; what is refused is told, not left to time out.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/server_lib.sh"

sessions() { for name in first anna; do of_peer "$name" '"\(.last_handshake) \(.handshakes)"'; done; }
# connects NS ADDRESS PORT: 0, or 1 at once when it is refused; a timeout fails the test.
connects() {
  local got=0
  # shellcheck disable=SC2016  # Expanded by the shell in there.
  in_ns "$1" timeout 8 bash -c ': <"/dev/tcp/$0/$1"' "$2" "$3" 2>"$dir/connect" || got=$?
  ((got != 124)) || fail "$1 waits for $2 port $3"
  return "$got"
}
# What still comes after the last answer that was on its way.
stands_still() {
  local before
  before=$(answers "$1")
  goes_on icmp 5
  [[ $(answers "$1") == "$before" ]]
}

step "two clients with open connections"
server_topology
client_host other 1
serve_echo internet
run_daemon web internet socat TCP6-LISTEN:80,ipv6only=0,reuseaddr,fork EXEC:cat
start_server --subnet6 fd01::/64
manage peer add anna >"$dir/add.log"
start_client client first
start_client other anna
eventually reaches client 203.0.113.1
eventually reaches other 203.0.113.1
echoes four client 203.0.113.1
echoes six client 2001:db8:f::1
echoes others other 203.0.113.1
ticks icmp client 203.0.113.1
for flow in four six others icmp; do goes_on "$flow"; done
session=$(sessions)

step "a rule about something else changes nothing"
manage peer set first --deny 'any tcp 9' --deny '198.51.100.0/24' | finds first
for flow in four six others icmp; do goes_on "$flow"; done

step "a rule about the connection ends it, and nothing else"
manage peer set first --deny '203.0.113.1 tcp 7'
eventually stands_still four
for flow in six others icmp; do goes_on "$flow"; done
refute connects client 203.0.113.1 7
connects client 203.0.113.1 80
connects client 2001:db8:f::1 7
connects other 203.0.113.1 7
manage peer show first | finds -x 'deny: 203.0.113.1 tcp 7'

step "without it, it is as before"
manage peer set first --no-deny
connects client 203.0.113.1 7
[[ $(of_peer first '"\(.allow) \(.deny)"') == 'null []' ]]

step "a list of what is allowed denies the rest, the server's host too"
manage peer set first --allow 'any icmp' --allow '2001:db8:f::/48 tcp 1-10'
connects client 2001:db8:f::1 7
goes_on six
goes_on icmp
for refused in '203.0.113.1 7' '2001:db8:f::1 80' '203.0.113.2 7' '2001:db8:5::1 7'; do
  read -r address port <<<"$refused"
  refute connects client "$address" "$port"
done
reaches client 2001:db8:f::1
reaches client 10.200.100.1
connects other 203.0.113.1 7

step "rules of the server's file hold for everybody"
printf '[server]\ndeny = ["203.0.113.1 tcp 80", "fd01::/64"]\n' >/etc/ginnel/server.toml
manage server reload | finds deny
for ns in client other; do
  refute connects "$ns" 203.0.113.1 80
  refute reaches "$ns" fd01::1
done
connects other 203.0.113.1 7
goes_on others
for own in "$(of_peer first '.addresses[1]')" "$(of_peer anna '.addresses[1]')"; do
  reaches server "$own" || fail "the host does not reach $own any more"
done
manage peer set first --no-allow
refute connects client 203.0.113.1 80
connects client 203.0.113.1 7

step "a client that comes with rules"
manage peer add bert --allow 'any udp 53' >"$dir/add2.log"
[[ $(of_peer bert '.allow[0]') == 'any udp 53' ]]

step "nobody had to begin anew"
[[ $(sessions) == "$session" ]] || fail "a session ended"

step "what is wrong changes nothing"
fails 2 '^peer set: --deny: "http" is no port' peer set first --deny 'any tcp http'
fails 2 'nothing to set' peer set first
fails 2 'contradict' peer set first --deny any --no-deny
fails 1 'no peer is called "nobody"' peer set nobody --deny any
echo 'deny = "10.0.0.1/8"' >>/etc/ginnel/peers.d/first.toml
fails 2 'peers.d/first.toml:[0-9]+: deny: 10.0.0.1/8 has host bits set; write 10.0.0.0/8' server reload
connects client 203.0.113.1 7
