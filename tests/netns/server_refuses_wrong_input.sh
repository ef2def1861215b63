#!/usr/bin/env bash
# Each wrong input of `ginnel server` is one line that names the object, has its exit code, and
# changes nothing on the host.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/server_lib.sh"

host_state() {
  in_ns server ip -j link
  in_ns server nft -j list ruleset
  in_ns server sysctl -n net.ipv4.ip_forward net.ipv6.conf.all.forwarding
  find /etc/ginnel /var/lib/ginnel "$dir/state" 2>/dev/null | sort
}

# refused CODE TEXT FLAGS...
refused() {
  local code=$1 text=$2 got=0
  shift 2
  in_ns server "$GINNEL" server "$@" >"$dir/out" 2>"$dir/err" || got=$?
  ((got == code)) || fail "exit code $got instead of $code for $*: $(cat "$dir/err")"
  grep -qF -- "$text" "$dir/err" || fail "no \"$text\" for $*: $(cat "$dir/err")"
  (($(wc -l <"$dir/err") == 1)) || fail "more than one line for $*: $(cat "$dir/err")"
  host_state | diff "$dir/before" - || fail "something changed for $*"
}

step "topology"
server_topology
key=$("$GINNEL" genkey | "$GINNEL" pubkey)
other=$("$GINNEL" genkey | "$GINNEL" pubkey)
mkdir "$dir/state"
echo '[server]
mtuu = 1400' >"$dir/typo.toml"
host_state >"$dir/before"

step "flags and files"
refused 2 '--peer' --peer short,10.200.100.2/32
refused 2 '--peer-ip' --peer "$key"
refused 6 '10.200.100.2/32' --peer "$key,10.200.100.2/32" --peer "$other,10.200.100.2/32"
refused 2 'typo.toml:2: mtuu' --config "$dir/typo.toml"
refused 1 'no such file' --config "$dir/missing.toml"
refused 1 'genkey' --private-key-file "$dir/missing.key"
refused 2 '--subnet' --subnet 10.0.0.0/33
refused 2 '--listen' --listen nonsense

step "the host"
refused 6 '192.0.2.1/24' --subnet 192.0.2.0/25
refused 6 'to-client' --interface to-client
run_daemon udp server python3 -c '
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("0.0.0.0", 51820))
print("bound", flush=True)
time.sleep(600)'
eventually grep -q bound "$dir/udp.log"
refused 6 'python3' --state-dir "$dir/state"
stop "$daemon" KILL

step "privileges"
got=0
in_ns server setpriv --bounding-set -net_admin "$GINNEL" server 2>"$dir/err" || got=$?
((got == 3)) || fail "exit code $got without CAP_NET_ADMIN: $(cat "$dir/err")"
grep -q CAP_NET_ADMIN "$dir/err"
host_state | diff "$dir/before" -
