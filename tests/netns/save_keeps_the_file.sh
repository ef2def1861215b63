#!/usr/bin/env bash
# `ginnel save`, and `ginnel down` with SaveConfig, write what changed into the file and keep its
# comments, names of hosts, commands and search domains; the file is whole whenever it is killed.
source "$(dirname "$0")/up_lib.sh"
namespace host
echo '192.0.2.1 peer.example' >>/etc/hosts
text() {
  cat <<CONF
# The tunnel of the office.
[Interface]
PrivateKey = @A
Address = 10.9.0.2/24
SaveConfig = $1
DNS = 10.9.0.1, office.example
PostUp = true # nothing

# Anna
[Peer]
PublicKey = @b
AllowedIPs = 10.8.0.0/16
Endpoint = peer.example:51820 # by name
CONF
}

step "nothing changed"
text false | conf wg0
cp /etc/wireguard/wg0.conf "$dir/before"
in_ns host "$GINNEL" up wg0
in_ns host "$GINNEL" save wg0
diff "$dir/before" /etc/wireguard/wg0.conf

step "what changed is written, and nothing else"
other=$(wg genkey | wg pubkey)
in_ns host wg set wg0 listen-port 51999 peer "$pub_b" allowed-ips 10.8.0.0/16,10.7.0.0/16 \
  endpoint 192.0.2.9:1 persistent-keepalive 9
in_ns host wg set wg0 peer "$other" allowed-ips 10.6.0.0/16
in_ns host ip addr add 10.9.1.2/24 dev wg0
in_ns host "$GINNEL" save wg0
status=0
diff "$dir/before" /etc/wireguard/wg0.conf >"$dir/difference" || status=$?
((status == 1))
diff - "$dir/difference" <<END
4c4
< Address = 10.9.0.2/24
---
> Address = 10.9.0.2/24, 10.9.1.2/24
7a8
> ListenPort = 51999
12c13
< AllowedIPs = 10.8.0.0/16
---
> AllowedIPs = 10.8.0.0/16, 10.7.0.0/16
13a15,19
> PersistentKeepalive = 9
> 
> [Peer]
> PublicKey = $other
> AllowedIPs = 10.6.0.0/16
END
[[ $(stat -c %a /etc/wireguard/wg0.conf) == 600 ]]

step "SaveConfig"
in_ns host "$GINNEL" down wg0
text true | conf wg0
in_ns host "$GINNEL" up wg0
in_ns host wg set wg0 peer "$pub_b" remove
in_ns host "$GINNEL" down wg0
refute grep -q 'Peer\|Anna' /etc/wireguard/wg0.conf
grep -qx '# The tunnel of the office.' /etc/wireguard/wg0.conf

step "killed while it saves, again and again"
text false | conf wg0
in_ns host "$GINNEL" up wg0
for ((i = 1; i <= 30; i++)); do
  cp /etc/wireguard/wg0.conf "$dir/old"
  in_ns host wg set wg0 listen-port $((40000 + i))
  run_daemon save host "$GINNEL" save wg0
  kill -9 "$daemon" 2>/dev/null || true
  wait "$daemon" 2>/dev/null || true
  grep -qx '# Anna' /etc/wireguard/wg0.conf || fail "the file is cut off"
  in_ns host "$GINNEL" strip wg0 | tail -1 | finds '^Endpoint' || fail "the file is cut off"
done
in_ns host "$GINNEL" save wg0
grep -qx "ListenPort = $((40000 + 30))" /etc/wireguard/wg0.conf
in_ns host "$GINNEL" down wg0
