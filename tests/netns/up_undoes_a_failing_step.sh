#!/usr/bin/env bash
# Whatever step of `ginnel up` fails, the host is as it was before, and what is said names the file or
# the object and the remedy.
#
#   host 192.0.2.2 ──── 192.0.2.1 world
source "$(dirname "$0")/up_lib.sh"
make_host
printf 'nameserver 192.0.2.53\n' >/etc/resolv.conf
remember host
I=$'[Interface]\nPrivateKey = @A\nAddress = 10.9.0.2/24, fd09::2/64\n'
P=$'[Peer]\nPublicKey = @b\nAllowedIPs = 0.0.0.0/0, ::/0\nEndpoint = 192.0.2.1:51820\n'

# fails STATUS TEXT CONF: `up` ends with it and says TEXT; the host is as before.
fails() {
  local wanted=$1 text=$2 status=0
  conf wg0 <<<"$3"
  in_ns host "$GINNEL" up wg0 2>"$dir/said" || status=$?
  ((status == wanted)) || fail "status $status: $(cat "$dir/said")"
  grep -qF "$text" "$dir/said" || fail "not \"$text\": $(cat "$dir/said")"
  check_unchanged host
}

step "before anything is touched"
fails 2 '/etc/wireguard/wg0.conf:3: Address: "10.9.0.2/33": the length' $'[Interface]\nPrivateKey = @A\nAddress = 10.9.0.2/33\n'
fails 2 'wg0.conf:4: Table: "nowhere" is no routing table' "$I"$'Table = nowhere\n'"$P"
fails 2 'wg0.conf:1: begins with a byte order mark' $'\xef\xbb\xbf[Interface]\n'
status=0
in_ns host setpriv --reuid 65534 --regid 65534 --clear-groups "$GINNEL" up wg0 2>"$dir/said" || status=$?
((status == 3)) || fail "status $status: $(cat "$dir/said")"
grep -qx 'up: .*/wg0.conf: Permission denied; run this as root' "$dir/said"
(
  cd "$dir"
  cp /etc/wireguard/wg0.conf here.conf
  refute in_ns host "$GINNEL" up here.conf 2>"$dir/said"
  grep -q 'there is no such file; for the one in this folder write ./here.conf' "$dir/said"
)
refute in_ns host "$GINNEL" up wg0.conf 2>"$dir/said"
grep -q 'wg0.conf.conf: there is no such file; for /etc/wireguard/wg0.conf write wg0$' "$dir/said"
[[ ! -e /run/ginnel ]] || fail "state was made for a file that is refused"

step "in the commands before"
fails 1 'wg0.conf:4: PreUp: the command ended with 7' "$I"$'PreUp = exit 7\n'"$P"
step "in the look-up of a name"
# Nobody answers in here, which might change.
WG_ENDPOINT_RESOLUTION_RETRIES=0 fails 4 'no.such.host.invalid' "$I${P/192.0.2.1/no.such.host.invalid}"
step "in the addresses"
fails 6 'add 10.9.0.2/24 to wg0' "$I"$'Address = 10.9.0.2/24\n'"$P"
step "in the MTU"
fails 2 'MTU' "$I"$'MTU = 70000\n'"$P"
step "in the routes, when rules and table stand"
in_ns host ip route add 10.77.0.0/16 via 192.0.2.1
remember host
fails 6 'add route 10.77.0.0/16 dev wg0' "$I$P"$'AllowedIPs = 10.77.0.0/16\n'
step "in the DNS servers"
printf '#!/bin/sh\nexit 3\n' >"$dir/resolvconf"
chmod +x "$dir/resolvconf"
PATH=$dir:$PATH fails 1 'resolvconf ended with 3' "$I"$'DNS = 10.9.0.1\n'"$P"
rm "$dir/resolvconf"
printf 'nameserver 192.0.2.54\n' >"$dir/mounted"
mount --bind "$dir/mounted" /etc/resolv.conf
mount -o remount,bind,ro /etc/resolv.conf
remember host
fails 1 'DNS: cannot write /etc/resolv.conf: Read-only file system; mount it writable' \
  "$I"$'DNS = 10.9.0.1\n'"$P"
umount /etc/resolv.conf
remember host
step "where IPv6 is switched off"
in_ns host sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
remember host
fails 1 'add fd09::2/64 to wg0: IPv6 is switched off here; leave IPv6 out' "$I$P"
fails 1 'IPv6 is switched off here' "${I/, fd09::2\/64/}$P"
conf wg0 <<<"${I/, fd09::2\/64/}${P/, ::\/0/}"
in_ns host "$GINNEL" up wg0
in_ns host "$GINNEL" down wg0
check_unchanged host
in_ns host sysctl -qw net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.default.disable_ipv6=0
remember host
step "in the commands behind"
fails 1 'wg0.conf:6: PostUp: the command ended with 1' \
  "$I"$'DNS = 10.9.0.1\nPostUp = true\nPostUp = ip route show dev %i | grep nothing\n'"$P"
