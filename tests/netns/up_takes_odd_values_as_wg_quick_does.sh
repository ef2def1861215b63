#!/usr/bin/env bash
# Values that stock tools read in their own way (numbers of any base, ports above 65535, lines
# without '=', zero bytes) come to the same in `ginnel up` as in stock wg-quick, which says nothing;
# ginnel says what each is taken as.
source "$(dirname "$0")/up_lib.sh"
make_twins

I=$'[Interface]\nPrivateKey = @A\n'
P=$'[Peer]\nPublicKey = @b\n'
case_of() { same "$1" "$2" "${4:-}" <<<"$3"; }
# odd NAME FILE KEY WRITTEN MEANING: both accept it, and ginnel says what it means.
odd() {
  case_of accepted "$1" "$2"
  grep -qF " $3: \"$4\" is taken as $5, as wg-quick" "$dir/ours/said" ||
    fail "$1: nothing is said of it: $(cat "$dir/ours/said")"
}
odd_address() { odd "address $1" "$I"$"Address = $1"$'\n' "/etc/wireguard/c.conf:3: Address" "$1" "$2"; }
refused_address() { case_of refused "address $1" "$I"$"Address = $1"$'\n'; }

step "addresses"
odd_address 010.0.0.1/24 8.0.0.1/24
odd_address 0x0a.0.0.1/24 10.0.0.1/24
odd_address 10.1/16 10.1.0.0/16
odd_address 10 10.0.0.0/32
odd_address 0xa.010 10.8.0.0/32
odd_address +10.7.0.2/24 10.7.0.2/24
odd_address 10.7.0.2/030 10.7.0.2/24
odd_address 10.7.0.2/+24 10.7.0.2/24
odd_address 10.7.0.2/255.255 10.7.0.2/16
odd_address 10.7.0.2/255.255.0377.0 10.7.0.2/24
odd_address 10.7.0.2/any 10.7.0.2/0
odd_address fd07::2/0x40 fd07::2/64
odd_address fd07::2/064 fd07::2/52
odd_address fd07::2/255.255.255.0 fd07::2/24
odd_address default "no address at all"
for address in 08.0.0.1 0x.0.0.1 10. 10..1 0x0a070002 10.7.0.256 1.2.3.4.5 -1.0.0.1 10.7.0.2/-1 \
  10.7.0.2/255.0.255.0 10.7.0.2/0x fd07::010.0.0.1/64 00fd07::2 fd07::2%lan/64 fd07::2/ffff:: any; do
  refused_address "$address"
done

step "ports"
place=/etc/wireguard/c.conf
for port in 117355:51819 4295019115:51819 2147483647:65535 +51999:51999 -4294967295:1; do
  odd "port ${port%:*}" "$I"$"ListenPort = ${port%:*}"$'\n' "$place:3: ListenPort" "${port%:*}" "${port#*:}"
  odd "endpoint ${port%:*}" "$I$P"$"Endpoint = 192.0.2.9:${port%:*}"$'\n' "$place:5: Endpoint" \
    "192.0.2.9:${port%:*}" "192.0.2.9:${port#*:}"
done
for port in 2147483648 18446744073709551615 18446744073709551616 -1 0x50; do
  case_of refused "port $port" "$I"$"ListenPort = $port"$'\n'
  case_of refused "endpoint $port" "$I$P"$"Endpoint = 192.0.2.9:$port"$'\n'
done
odd "endpoint with an octal address" "$I$P"$'Endpoint = 010.0.0.1:51820\n' "$place:5: Endpoint" \
  010.0.0.1:51820 8.0.0.1:51820
odd "endpoint with a short address" "$I$P"$'Endpoint = 10.1:51820\n' "$place:5: Endpoint" 10.1:51820 10.0.0.1:51820
odd "endpoint in brackets" "$I$P"$'Endpoint = [2001:db8::9]:117355\n' "$place:5: Endpoint" \
  "[2001:db8::9]:117355" "[2001:db8::9]:51819"

step "other numbers"
odd "MTU, octal" "$I"$'MTU = 02424\n' "$place:3: MTU" 02424 1300
odd "MTU with a sign" "$I"$'MTU = +1300\n' "$place:3: MTU" +1300 1300
case_of refused "MTU, negative" "$I"$'MTU = -18446744073709550316\n'
case_of accepted "table with a sign" "$I"$'Table = +1234\n'"$P"$'AllowedIPs = 10.8.0.0/16\n'
case_of refused "octal in AllowedIPs" "$I$P"$'AllowedIPs = 010.8.0.0/16\n'

step "lines without '='"
case_of accepted "DNS alone" "$I"$'DNS\n'
case_of accepted "DNS alone, and a server" "$I"$'DNS\nDNS = 10.7.0.1\n'
case_of accepted "Table alone" "$I"$'Table\n'
case_of refused "Table alone, something to route" "$I"$'Table\n'"$P"$'AllowedIPs = 10.8.0.0/16\n'
for key in Address MTU PreUp PostUp SaveConfig; do case_of refused "$key alone" "$I$key"$'\n'; done

step "zero bytes"
same accepted "a zero byte" < <(printf '[Interface]\nPrivateKey = @A\nAddress = 10.7\0.0.2/24\n')
grep -qF "$place:3: holds zero bytes" "$dir/ours/said" || fail "nothing is said of zero bytes"
same accepted "UTF-16" < <(printf '[Interface]\nAddress = 10.7.0.2/24\n' | iconv -t UTF-16LE)
same refused "UTF-16 with its mark" < <(printf '[Interface]\nAddress = 10.7.0.2/24\n' | iconv -t UTF-16)
all_same

step "strip prints what wg-quick prints, and reload finds nothing to change"
printf '%s' "$I"$'Address = 010.0.0.1/24\nListenPort = 117355\n'"$P"$'Endpoint = 010.0.0.1:65537 # x\n' | conf c
in_ns stock wg-quick strip c >"$dir/stripped.stock"
in_ns ours "$GINNEL" strip c >"$dir/stripped.ours"
diff -B "$dir/stripped.stock" "$dir/stripped.ours" || fail "strip differs"
quick_in ours up c
tunnel_state ours >"$dir/before"
: >"$dir/ours/said"
quick_in ours reload c
grep -qF '"117355" is taken as 51819' "$dir/ours/said" || fail "reload says nothing of it"
tunnel_state ours >"$dir/after"
diff "$dir/before" "$dir/after" || fail "reload changed something"
quick_in ours down c
