#!/usr/bin/env bash
# Two servers on one host: a client of either reaches the internet, and neither a client of the
# other, nor the other's server, nor a network behind one of its clients, but for what the other's
# file admits; in both families. Over tunnels without the servers' rules it reaches all of them.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/server_lib.sh"

# What belongs to the second, as a client of the first sees it, and the other way round.
second() { printf '%s\n' 10.201.0.1 "$other4" fd02::1 "$other6" 192.168.78.1; }
first() { printf '%s\n' 10.200.100.1 "$client4" fd01::1 "$client6"; }
address_of() { ip -n "$1" -j addr show "$2" | jq -r ".[].addr_info[] | select(.family == \"$3\").local" | head -n 1; }
other_server() { manage "$@" --state-dir /var/lib/second; }

step "two servers, each with a client"
server_topology
client_host other 1
start_server --interface wg0 --subnet6 fd01::/64
first_server=$server
run_daemon second server "$GINNEL" server --state-dir /var/lib/second --interface wg1 \
  --listen :51821 --subnet 10.201.0.0/24 --subnet6 fd02::/64 --metrics-listen none \
  --endpoint 192.0.2.1 --client-to-client
second_server=$daemon
eventually grep -q ' ready ' "$dir/second.log"
manage peer config first --interface wg0 | grep -v '^DNS' >"$dir/first.conf"
stock_up client "$dir/first.conf"
other_server peer add site --allowed-ips 192.168.78.0/24 >"$dir/add.log"
other_server peer config site | grep -v '^DNS' >"$dir/site.conf"
stock_up other "$dir/site.conf"
ip -n other addr add 192.168.78.1/24 dev lo
client4=$(address_of client first inet) client6=$(address_of client first inet6)
other4=$(address_of other site inet) other6=$(address_of other site inet6)
for internet in 203.0.113.1 2001:db8:f::1; do
  eventually reaches client "$internet"
  eventually reaches other "$internet"
done

step "each has its own, and nothing of the other's"
reaches client 10.200.100.1
reaches other 10.201.0.1
eventually reaches other fd02::1
capture other other site
capture client client first
for address in $(second); do refute reaches client "$address"; done
for address in $(first); do refute reaches other "$address"; done
seen=$(packets other "src net 10.200.100.0/24 or src net fd01::/64"; packets client "src net 10.201.0.0/24 or src net fd02::/64")
[[ -z $seen ]] || fail "arrived: $seen"

step "nor by an address that it makes up"
in_ns client ip addr add 10.201.0.77/32 dev first
refute in_ns client ping -c 1 -W 1 -I 10.201.0.77 "$other4"

step "what the other's file admits, and no more"
serve_echo other
printf '[server]\nadmit = ["10.200.100.0/24 tcp 7", "fd01::/64 icmp"]\n' >/var/lib/second/server.toml
other_server server reload | finds admit
eventually in_ns client timeout 2 bash -c ": </dev/tcp/$other4/7"
eventually in_ns client timeout 2 bash -c ': </dev/tcp/192.168.78.1/7'
for address in "$other6" fd02::1; do eventually reaches client "$address"; done
for address in 10.201.0.1 "$other4" 192.168.78.1; do refute reaches client "$address"; done
refute in_ns client timeout 2 bash -c "exec 2>/dev/null 3<>/dev/tcp/$other6/7"
for address in $(first); do refute reaches other "$address"; done
rm /var/lib/second/server.toml
other_server server reload | finds admit
for address in $(second); do refute reaches client "$address"; done
refute in_ns client timeout 2 bash -c "exec 2>/dev/null 3<>/dev/tcp/$other4/7"

step "the same over tunnels without rules"
bare_tunnel wg0 "$first_server"
bare_tunnel wg1 "$second_server"
in_ns server ip route add 192.168.78.0/24 dev wg1
eventually reaches server "$client4"
eventually reaches server "$other4"
for address in $(second); do eventually reaches client "$address"; done
for address in $(first); do eventually reaches other "$address"; done
