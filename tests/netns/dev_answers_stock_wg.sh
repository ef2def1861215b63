#!/usr/bin/env bash
# The same stock `wg` commands give the same dump on ginnel as on wireguard-go.
source "$(dirname "$0")/dev_lib.sh"
namespace left
run_daemon ginnel left "$GINNEL" dev ours --foreground
eventually in_ns left wg show ours
run_daemon go left env LOG_LEVEL=silent wireguard-go -f theirs
eventually in_ns left wg show theirs

psk=$(wg genpsk)
printf '%s\n' "$psk" >"$dir/psk"
printf '%s\n' "${private[left]}" >"$dir/key"
a=$(wg genkey | wg pubkey) b=$(wg genkey | wg pubkey) c=$(wg genkey | wg pubkey)

# The order of peers and of allowed IPs is free; the port is chosen by each when it is 0.
dump() {
  in_ns left wg show "$1" dump | python3 -c '
import sys
for number, line in enumerate(sys.stdin):
    fields = line.rstrip("\n").split("\t")
    if number == 0:
        fields[2] = "PORT"
    else:
        fields[3] = ",".join(sorted(fields[3].split(",")))
    print(*fields, sep="\t")' | sort
}
compare() {
  local ours theirs
  ours=$(dump ours) theirs=$(dump theirs)
  [[ $ours == "$theirs" ]] || fail "after $1:"$'\n'"ours:"$'\n'"$ours"$'\n'"theirs:"$'\n'"$theirs"
}
both() {
  step "$*"
  in_ns left "$1" "$2" ours "${@:3}"
  in_ns left "$1" "$2" theirs "${@:3}"
  compare "$*"
}

both wg set private-key "$dir/key"
both wg set peer "$a" allowed-ips 10.0.0.1/32,fd00::1/128 endpoint 192.0.2.7:1234 persistent-keepalive 25
both wg set peer "$b" preshared-key "$dir/psk" allowed-ips 10.0.0.2/32,10.1.0.0/16
both wg set peer "$b" allowed-ips 10.0.0.1/32
both wg set peer "$a" endpoint '[2001:db8::7]:99' persistent-keepalive off
both wg set fwmark 0x1234
both wg set peer "$b" preshared-key /dev/null
both wg set peer "$c" allowed-ips 0.0.0.0/0,::/0
both wg set peer "$a" remove
cat >"$dir/more.conf" <<END
[Peer]
PublicKey = $a
AllowedIPs = 10.5.0.0/24
END
both wg addconf "$dir/more.conf"
cat >"$dir/all.conf" <<END
[Interface]
PrivateKey = ${private[right]}
FwMark = 7
[Peer]
PublicKey = $a
PresharedKey = $psk
AllowedIPs = 10.6.0.0/24, fd06::/64
[Peer]
PublicKey = $c
AllowedIPs = 10.7.0.0/24
Endpoint = 192.0.2.9:5
PersistentKeepalive = 7
END
both wg syncconf "$dir/all.conf"
both wg setconf "$dir/all.conf"
step "showconf"
showconf() {
  in_ns left wg showconf "$1" | sed '/^ListenPort/d' | python3 -c '
import sys
for line in sys.stdin:
    key, _, value = line.rstrip("\n").partition(" = ")
    print(key, *sorted(value.split(", ")))' | sort
}
[[ $(showconf ours) == "$(showconf theirs)" ]] || fail "$(diff <(showconf ours) <(showconf theirs))"
: >"$dir/empty.conf"
both wg setconf "$dir/empty.conf"
