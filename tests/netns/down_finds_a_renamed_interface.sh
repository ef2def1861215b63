#!/usr/bin/env bash
# An interface that somebody renamed is the tunnel's own all the same: `ginnel down` deletes it, saves
# what it is, and leaves nothing behind; `up`, `reload` and `save` say what it is called. One that only
# has the tunnel's name is left alone.
source "$(dirname "$0")/up_lib.sh"
make_host
write_conf() {
  conf wg0 <<CONF
[Interface]
PrivateKey = @A
Address = 10.7.0.2/24, fd07::2/64
ListenPort = 51820
$1
[Peer]
PublicKey = @b
AllowedIPs = 0.0.0.0/0, ::/0
CONF
}
rename() { # FROM TO
  ip -n host link set "$1" down
  ip -n host link set "$1" name "$2"
  ip -n host link set "$2" up
}
refused_as_foo() {
  status=0
  in_ns host "$GINNEL" "$1" wg0 2>"$dir/said" || status=$?
  ((status == 6)) || fail "$1: status $status: $(<"$dir/said")"
  grep -qF 'interface wg0 is called foo by now; "ip link set foo name wg0" gives it its name back' "$dir/said" ||
    fail "$(<"$dir/said")"
}

remember host
step "renamed"
write_conf ""
in_ns host "$GINNEL" up wg0
carrier=$(daemon_of host wg0)
rename wg0 foo
for verb in up reload save; do refused_as_foo "$verb"; done
in_ns host "$GINNEL" down wg0
check_unchanged host
gone "$carrier" || fail "its process runs"
[[ ! -e /var/run/wireguard/wg0.sock ]] || fail "its socket stays"
refute in_ns host "$GINNEL" down wg0 2>/dev/null

step "renamed, and renamed back"
in_ns host "$GINNEL" up wg0
rename wg0 foo
rename foo wg0
in_ns host "$GINNEL" reload wg0
in_ns host "$GINNEL" down wg0
check_unchanged host

step "what it is, is saved"
write_conf "SaveConfig = true"
in_ns host "$GINNEL" up wg0
rename wg0 foo
ip -n host addr add fd07::2/64 dev foo # The kernel took it away as the interface went down.
in_ns host wg set wg0 peer "$pub_b" persistent-keepalive 21
cp /etc/wireguard/wg0.conf "$dir/before.conf"
in_ns host "$GINNEL" down wg0
diff <(sed 's/^AllowedIPs/PersistentKeepalive = 21\n&/' "$dir/before.conf" | sort) \
  <(sort /etc/wireguard/wg0.conf) || fail "the file has lost something"
check_unchanged host

step "another interface has its name"
write_conf ""
in_ns host "$GINNEL" up wg0
rename wg0 foo
ip -n host link add wg0 type veth peer name wg0-peer
in_ns host "$GINNEL" down wg0
refute ip -n host link show foo 2>/dev/null
ip -n host link show wg0 >/dev/null
ip -n host link del wg0
check_unchanged host

step "the tunnel's own is gone, and another has its name"
in_ns host "$GINNEL" up wg0
carrier=$(daemon_of host wg0)
ip -n host link del wg0
eventually gone "$carrier"
ip -n host link add wg0 type veth peer name wg0-peer
in_ns host "$GINNEL" down wg0 2>"$dir/said"
grep -q 'interface wg0 is not the one that ginnel brought up' "$dir/said" || fail "$(<"$dir/said")"
ip -n host link show wg0 >/dev/null
ip -n host link del wg0
check_unchanged host
