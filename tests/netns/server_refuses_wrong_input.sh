#!/usr/bin/env bash
# Each wrong input of `ginnel server` is one line that names the object, has its exit code, and
# changes nothing on the host.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/server_lib.sh"

everything() {
  host_state
  find /etc /var/lib/ginnel "$dir/state" -path '*ginnel*' -type f -exec md5sum {} + | sort
}

# refused CODE PATTERN FLAGS...
refused() {
  fails "$1" "$2" server "${@:3}"
  everything | diff "$dir/before" - || fail "something changed for ${*:3}"
}

step "topology"
server_topology
key=$("$GINNEL" genkey | "$GINNEL" pubkey)
other=$("$GINNEL" genkey | "$GINNEL" pubkey)
mkdir "$dir/state"
echo '[server]
mtuu = 1400' >"$dir/typo.toml"
everything >"$dir/before"

step "flags and files"
refused 2 '--peer: number 1: ' --peer short,10.200.100.2/32
refused 2 '--peer-ip' --peer "$key"
refused 6 '10.200.100.2/32' --peer "$key,10.200.100.2/32" --peer "$other,10.200.100.2/32"
refused 2 'typo.toml:2: mtuu' --config "$dir/typo.toml"
refused 1 'no such file' --config "$dir/missing.toml"
refused 1 'genkey' --private-key-file "$dir/missing.key"
refused 2 '--subnet' --subnet 10.0.0.0/33
refused 2 '--subnet6' --subnet6 10.0.0.0/24
refused 2 '--listen' --listen nonsense
refused 2 '--mtu' --mtu 100
refused 2 '--dns' --dns 'not a name'
refused 2 '--endpoint' --endpoint 'not a name'
refused 2 '--metrics-listen' --metrics-listen nonsense
refused 2 '--metrics-listen.*0.0.0.0' --metrics-listen 0.0.0.0:9586
refused 2 '--metrics-listen' --metrics-listen 127.0.0.1
echo short >"$dir/short.key"
refused 2 'short.key.*genkey' --private-key-file "$dir/short.key"

step "clients' files"
# client KEY=VALUE...: one in peers.d, which is then no part of what must not change.
client_file() {
  mkdir -p /etc/ginnel/peers.d
  printf '%s\n' "$@" >/etc/ginnel/peers.d/anna.toml
  everything >"$dir/before"
}
client_file 'public_key = "short"'
refused 2 'anna.toml:1: public_key'
client_file "public_key = \"$key\"" 'addresses = ["10.200.100.2"]' 'colour = "red"'
refused 2 'anna.toml:3: colour'
client_file "public_key = \"$key\"" 'addresses = ["10.200.100.2"]' 'allowed_ips = ["10.9.0.0/16"]'
refused 6 'anna.*10.9.0.0/16|10.9.0.0/16.*anna' --peer "$other,10.200.100.3/32,10.9.8.0/24"
refused 2 'anna.*10.200.100.2' --subnet 10.5.0.0/24
rm -r /etc/ginnel/peers.d
everything >"$dir/before"

step "the host"
refused 6 '192.0.2.1/24' --subnet 192.0.2.0/25
refused 6 'to-client exists already: .*the way out is --outbound-interface' --interface to-client
ip -n server route add 10.200.0.0/16 via 203.0.113.1
ip -n server route add fd00:1::/32 via 2001:db8:f::1
everything >"$dir/before"
refused 6 '10.200.0.0/16.*--subnet'
refused 6 'fd00:1::/32.*--subnet6' --subnet 10.1.0.0/24 --subnet6 fd00:1:2::/64
ip -n server route del 10.200.0.0/16
ip -n server route del fd00:1::/32
everything >"$dir/before"
run_daemon udp server python3 -c '
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("0.0.0.0", 51820))
print("bound", flush=True)
time.sleep(600)'
eventually grep -q bound "$dir/udp.log"
run_daemon tcp server socat TCP-LISTEN:9586,bind=127.0.0.1,fork EXEC:cat
eventually in_ns server bash -c ': </dev/tcp/127.0.0.1/9586'
refused 6 'python3' --state-dir "$dir/state"
refused 6 '9586.*--metrics-listen' --state-dir "$dir/state" --listen 51821

step "privileges"
got=0
in_ns server setpriv --bounding-set -net_admin "$GINNEL" server 2>"$dir/err" || got=$?
((got == 3)) || fail "exit code $got without CAP_NET_ADMIN: $(cat "$dir/err")"
grep -q CAP_NET_ADMIN "$dir/err"
everything | diff "$dir/before" -
