#!/usr/bin/env bash
# Where the kernel has WireGuard, it carries what `ginnel up` brings up: the tunnel is as wg-quick
# makes it, `ginnel show` prints what `wg show` prints, `reload` keeps the session and takes back what
# fails, `save` edits the file, devices of many messages are whole, and `down` leaves nothing.
#
#   world: wg-far 10.9.0.1 ── 192.0.2.1 ─ wire ─ 192.0.2.2 ── guest: wg0 10.9.0.2
# shellcheck disable=SC2016  # Others expand it.
source "$(dirname "$0")/up_lib.sh"
kernel_peer guest world 192.0.2.1/24,2001:db8::1/64 192.0.2.2/24,2001:db8::2/64
share=$dir/guest/share
in_ns world ginnel-dev wg-far
in_ns world wg set wg-far private-key <(echo "$key_b") listen-port 51820 \
  peer "$pub_a" allowed-ips 10.9.0.2/32,fd09::2/128
ip -n world addr add 10.9.0.1/24 dev wg-far
ip -n world link set wg-far up

# What the guest runs: the lib's own functions, without namespaces.
{
  declare -f host_state strip_times
  cat <<END
in_ns() { shift; "\$@"; }
file=$share/wg0.conf ginnel=$GINNEL
END
  cat <<'END'
set -e
tunnel() {
  for family in -4 -6; do
    ip $family route show table all | sed '/fe80/d; /ff00/d'
    ip $family rule show
  done
  ip -o addr show dev wg0 | sed 's/^[0-9]*: //; /fe80/d'
  ip -o link show dev wg0 | sed 's/^[0-9]*: //'
  wg showconf wg0 | grep -v ListenPort
}
same_shown() { # Ages change with each second.
  for _ in {1..20}; do
    cmp -s <(wg show "$@") <("$ginnel" show "$@") && return
  done
  diff <(wg show "$@") <("$ginnel" show "$@")
}
END
} >"$share/lib"
in_guest() { in_kernel guest -t 240 "source $share/lib; $1"; } # Without KVM it is slow.
write_conf() { # write_conf INTERFACE_LINES ALLOWED MORE
  conf wg0 <<CONF
[Interface]
PrivateKey = @A
Address = 10.9.0.2/24, fd09::2/64
$1
[Peer]
PublicKey = @b
AllowedIPs = $2
Endpoint = 192.0.2.1:51820 # the other end
$3
CONF
  cp /etc/wireguard/wg0.conf "$share/wg0.conf"
}

step "as wg-quick makes it"
write_conf "" "10.9.0.0/24, fd09::/64, 0.0.0.0/0" ""
in_guest "wg-quick up \$file 2>/dev/null; tunnel >$share/stock; wg-quick down \$file 2>/dev/null
  host_state x >$share/before
  \$ginnel up \$file; tunnel >$share/ours"
diff "$share/stock" "$share/ours"
grep -q 'table 51820' "$share/ours"
in_guest 'ip -d link show wg0 | grep -q wireguard'

step "a session, shown as wg shows it"
in_guest 'ping -c 2 -W 5 10.9.0.1'
in_guest 'for field in public-key private-key listen-port fwmark peers preshared-keys endpoints \
    allowed-ips latest-handshakes transfer persistent-keepalive dump; do same_shown wg0 $field; done
  same_shown; same_shown wg0; same_shown all dump; same_shown interfaces
  [[ $($ginnel show interfaces) == wg0 ]]
  $ginnel show --json | jq -e ".wg0.peers[].latestHandshake > 0" >/dev/null
  ! $ginnel show eth0 2>/dev/null'
first=$(in_guest 'wg show wg0 latest-handshakes')
[[ $first =~ [1-9] ]]

step "reload keeps the session"
other=$(wg genkey | wg pubkey)
write_conf "MTU = 1380" "10.9.0.0/24, 10.50.0.0/16" \
  $'PersistentKeepalive = 9\n[Peer]\nPublicKey = '"$other"$'\nAllowedIPs = 10.51.0.0/16, 10.52.0.0/16'
in_guest '$ginnel reload $file
  ip route get 10.51.0.1 | grep -q "dev wg0"
  ip link show wg0 | grep -q "mtu 1380"
  [[ $(wg show wg0 fwmark) == off ]]
  ping -c 2 -W 5 10.9.0.1'
[[ $(in_guest 'wg show wg0 latest-handshakes') == "$first"$'\n'"$other"$'\t0' ||
  $(in_guest 'wg show wg0 latest-handshakes') == "$other"$'\t0\n'"$first" ]]

step "one allowed IP goes, the others stay"
sed -i 's|^AllowedIPs = 10.51.*|AllowedIPs = -10.52.0.0/16|' "$share/wg0.conf"
in_guest '$ginnel reload $file'
[[ $(in_guest "wg show wg0 allowed-ips | grep '$other'") == "$other"$'\t10.51.0.0/16' ]]

step "a change that fails is taken back"
sed -i "s|^MTU.*|ListenPort = 5555|; s|^PersistentKeepalive.*|PersistentKeepalive = 3|" "$share/wg0.conf"
in_guest "wg show wg0 dump | cut -f 1-5,8 >$share/before-failure
  socat -u udp-recv:5555 /dev/null & user=\$!
  until ss -Hlun | grep -q :5555; do read -rt 0.1 <> <(:) || :; done
  status=0; \$ginnel reload \$file 2>$share/said || status=\$?
  kill \$user
  ((status == 6))
  wg show wg0 dump | cut -f 1-5,8 | diff $share/before-failure -"
grep -q 'interface wg0: .*[Aa]ddress already in use' "$share/said" || fail "$(<"$share/said")"

step "save edits the file"
sed -i '/^ListenPort/d; s|^PersistentKeepalive.*|PersistentKeepalive = 9|' "$share/wg0.conf"
cp "$share/wg0.conf" "$share/unsaved"
in_guest "wg set wg0 peer $pub_b persistent-keepalive 21; \$ginnel save \$file"
diff <(sed 's|^PersistentKeepalive = 9|PersistentKeepalive = 21|; s|^AllowedIPs = -.*|AllowedIPs = 10.51.0.0/16|' \
  "$share/unsaved") "$share/wg0.conf"

step "down leaves nothing, whatever it is called by now"
in_guest "ip link set wg0 down; ip link set wg0 name foo; \$ginnel down \$file; host_state x >$share/after"
diff "$share/before" "$share/after"

step "a device of many messages"
python3 - "$key_a" >"$share/wg0.conf" <<'END'
import base64, os, sys
print(f"[Interface]\nPrivateKey = {sys.argv[1]}\nTable = off\n")
for i in range(2000):
    key = base64.b64encode(os.urandom(32)).decode()
    count = 3000 if i == 700 else 2
    ips = ", ".join(f"10.{i >> 8}.{i & 255}.{j}/32" if count == 2 else f"fd00:{j:x}::/32" for j in range(count))
    print(f"[Peer]\nPublicKey = {key}\nEndpoint = 192.0.2.9:{i + 1}\nAllowedIPs = {ips}")
END
in_guest "\$ginnel up \$file
  wg show wg0 allowed-ips >$share/allowed; wg show wg0 endpoints >$share/endpoints
  same_shown wg0 dump"
sed -n 's/^PublicKey = //p' "$share/wg0.conf" | sort >"$share/keys"
cut -f 1 "$share/allowed" | sort | diff "$share/keys" -
(($(cut -f 2 "$share/allowed" | wc -w) == 3000 + 2 * 1999)) || fail "allowed IPs are missing"
grep -c '192.0.2.9:' "$share/endpoints" | finds -x 2000
in_guest '$ginnel reload $file; $ginnel down $file; ! ip link show wg0 2>/dev/null'

step "and where the kernel has none"
write_conf "" 10.9.0.0/24 ""
in_guest "modprobe -r wireguard; modprobe tun; sysctl -qw kernel.modprobe=/bin/false
  status=0; \$ginnel up --backend kernel \$file 2>$share/said || status=\$?
  ((status == 1))
  ! ip link show wg0 2>/dev/null
  \$ginnel up \$file; ip -d link show wg0 | grep -q tun; \$ginnel down \$file"
grep -q 'this kernel has no WireGuard' "$share/said"
