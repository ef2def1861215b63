# Sourced after lib.sh by the scenarios of `ginnel server`.
# shellcheck shell=bash disable=SC2034,SC2154  # lib.sh sets some, scenarios read some.

#   client 198.51.100.2 ──── router ──── server 192.0.2.1 ──── internet 203.0.113.1
#          2001:db8:c::2              2001:db8:5::1           2001:db8:f::1
# The host behind the uplink has no way back into the tunnel: what reaches it has been translated.
server_topology() {
  link server 203.0.113.2/24,2001:db8:f::2/64 internet 203.0.113.1/24,2001:db8:f::1/64
  link server 192.0.2.1/24,2001:db8:5::1/64 client 192.0.2.2/24,2001:db8:5::2/64
  ip -n server route add default via 203.0.113.1
  ip -n server route add default via 2001:db8:f::1
}

# client_host NS N: one more host that reaches the server, over a link of its own.
client_host() {
  link server "192.0.$((2 + $2)).1/24,2001:db8:$((50 + $2))::1/64" \
    "$1" "192.0.$((2 + $2)).2/24,2001:db8:$((50 + $2))::2/64"
  ip -n "$1" route add 192.0.2.0/24 via "192.0.$((2 + $2)).1"
}

# two_providers: as server_topology, with another way out. 198.18.0.77 and 2001:db8:77::1 are behind
# both, and say which one they were reached by.
#
#                                      ┌── internet 203.0.113.1
#   client 192.0.2.2 ──── server 192.0.2.1
#                                      └── second 198.51.100.1
two_providers() {
  local way
  server_topology
  link server 198.51.100.2/24,2001:db8:e::2/64 second 198.51.100.1/24,2001:db8:e::1/64
  for way in internet second; do
    ip -n "$way" addr add 198.18.0.77/32 dev lo
    ip -n "$way" addr add 2001:db8:77::1/128 dev lo
    run_daemon "$way" "$way" socat TCP6-LISTEN:80,ipv6only=0,reuseaddr,fork "SYSTEM:echo $way"
  done
}
# leads ADDRESS PROVIDER: where a client's connection ends.
leads() { [[ $(in_ns client timeout 1 bash -c "exec 3<>/dev/tcp/$1/80; cat <&3") == "$2" ]]; }

# manage VERB...: ginnel on the server's host, about the server that runs there.
manage() { in_ns server "$GINNEL" "$@"; }
# of_peer NAME FILTER, of_server FILTER: what they tell as JSON, through jq.
of_peer() { manage peer show "$1" --json | jq -r ".peer | $2"; }
of_server() { { manage server status --json || true; } | jq -r "$1"; }

# fails CODE PATTERN VERB...: ginnel on the server's host ends with that code and one line in which
# the pattern is.
fails() {
  local code=$1 pattern=$2 got=0
  shift 2
  manage "$@" >"$dir/out" 2>"$dir/err" || got=$?
  ((got == code)) || fail "exit code $got instead of $code for $*: $(cat "$dir/err")"
  (($(wc -l <"$dir/err") == 1)) || fail "not one line for $*: $(cat "$dir/err")"
  grep -qE -- "$pattern" "$dir/err" || fail "no \"$pattern\" for $*: $(cat "$dir/err")"
}

# All that a server may change on its host.
host_state() {
  in_ns server ip -j addr | sed 's/"preferred_life_time":[0-9]*//g; s/"valid_life_time":[0-9]*//g'
  in_ns server ip -j route show table all
  in_ns server ip -j -6 route show table all
  in_ns server ip -j rule
  in_ns server ip -j -6 rule
  in_ns server nft -j list ruleset
  in_ns server sysctl -a 2>/dev/null | grep -E '^net\.ipv[46]\.(ip_forward|conf)' | sort
}

# start_server [FLAGS...]: in namespace server, with the endpoint that clients reach.
start_server() {
  : >"$dir/server.log"  # What an earlier one said is not to be taken for this one's.
  [[ " $* " == *' --endpoint '* ]] || set -- --endpoint 192.0.2.1 "$@"
  run_daemon server server "$GINNEL" server "$@"
  server=$daemon
  eventually grep -q ' ready ' "$dir/server.log"
}

# stock_up NS FILE: stock wg-quick and wireguard-go; the interface is named like the file.
stock_up() {
  WG_QUICK_USERSPACE_IMPLEMENTATION=wireguard-go WG_I_PREFER_BUGGY_USERSPACE_TO_POLISHED_KMOD=1 \
    in_ns "$1" wg-quick up "$2" >"$dir/$1-up.log" 2>&1
}
# start_client NS NAME: with the file that the server hands out, on the interface NAME. The resolver
# is left out: there is no resolvconf in here.
start_client() {
  manage peer config "$2" | grep -v '^DNS' >"$dir/$2.conf"
  stock_up "$1" "$dir/$2.conf"
}

# has_noted ADDRESS: the server would find the client that is there again after SIGKILL.
has_noted() { grep -aqrF "$1:" /var/lib/ginnel; }

# ticks NAME NS ADDRESS: ten pings a second, each answer a line of $dir/NAME.log.
ticks() { run_daemon "$1" "$2" ping -n -i 0.1 "$3"; }
# echoes NAME NS ADDRESS: one TCP connection that sends ten lines a second and has each sent back
# (by serve_echo), which is a line of the log. When the connection ends, so do the lines.
echoes() {
  # shellcheck disable=SC2016  # Expanded by the shell in there.
  run_daemon "$1" "$2" bash -c 'exec 3<>"/dev/tcp/$1/7" 4<> <(:)
    while echo answer from the host >&3 && read -r -u 3 line; do
      echo "$line"
      read -r -t 0.1 -u 4 || true
    done' - "$3"
}
serve_echo() {
  run_daemon echo "$1" socat TCP6-LISTEN:7,ipv6only=0,reuseaddr,fork EXEC:cat
  eventually in_ns "$1" bash -c ': </dev/tcp/127.0.0.1/7'
}
answers() { grep -c ' from ' "$dir/$1.log" || true; }
has_answers() { (($(answers "$1") >= $2)); }
# goes_on NAME [COUNT]: COUNT more answers arrive (5).
goes_on() { eventually has_answers "$1" $(($(answers "$1") + ${2:-5})); }

# bare_tunnel INTERFACE PID: ends that server and puts a tunnel in its place that has its key, port,
# peers and addresses, and of its rules nothing but the translation that everybody writes. For
# attacks: one that fails here too has shown nothing.
bare_tunnel() {
  local one addresses
  in_ns server wg showconf "$1" >"$dir/$1-bare.conf"
  addresses=$(ip -n server -j addr show "$1" | jq -r '.[].addr_info[] | select(.scope == "global") | "\(.local)/\(.prefixlen)"')
  stop "$2"
  run_daemon "$1-bare" server "$GINNEL" dev "$1" --foreground
  eventually in_ns server wg show "$1"
  in_ns server wg setconf "$1" "$dir/$1-bare.conf"
  for one in $addresses; do ip -n server addr add "$one" dev "$1"; done
  ip -n server link set "$1" up mtu 1420
  in_ns server sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
  in_ns server nft "add table inet bare-$1; add chain inet bare-$1 c {
    type nat hook postrouting priority srcnat; }; add rule inet bare-$1 c oifname != \"wg*\" masquerade"
}
