#!/usr/bin/env bash
# Networks, tables and routes of a file are made by `ginnel up` as by stock wg-quick with
# `ginnel dev`; where docs/up.md says that they differ, the case says so.
source "$(dirname "$0")/up_lib.sh"
make_twins
mkdir -p /etc/iproute2
[[ -e /etc/iproute2/rt_tables ]] || echo '254 main' >/etc/iproute2/rt_tables
echo '777 vpn' >>/etc/iproute2/rt_tables

I=$'[Interface]\nPrivateKey = @A\nAddress = 10.7.0.2/24, fd07::2/64\n'
P=$'[Peer]\nPublicKey = @b\n'
Q=$'[Peer]\nPublicKey = @a\n'
case_of() { same "$1" "$2" "${4:-}" <<<"$3"; }

case_of accepted "peer without addresses" "$I$P"
case_of refused "peer without a key" "$I"$'[Peer]\nAllowedIPs = 10.8.0.0/16\n'
case_of accepted "one network" "$I$P"$'AllowedIPs = 10.8.0.0/16\n'
case_of accepted "host bits" "$I$P"$'AllowedIPs = 10.8.3.4/16\n'
case_of accepted "no mask" "$I$P"$'AllowedIPs = 10.8.0.1, fd08::1\n'
case_of accepted "two lines" "$I$P"$'AllowedIPs = 10.8.0.0/16\nAllowedIPs = fd08::/64\n'
case_of accepted "networks inside each other" "$I$P"$'AllowedIPs = 10.0.0.0/8, 10.8.0.0/16, 10.8.9.0/24\n'
case_of accepted "inside the address" "$I$P"$'AllowedIPs = 10.7.0.0/24, 10.7.0.9/32, fd07::9/128, fd07::/64\n'
case_of accepted "around the address" "$I$P"$'AllowedIPs = 10.7.0.0/16, fd07::/32\n'
case_of refused "empty" "$I$P"$'AllowedIPs =\n'
case_of refused "comma at the end" "$I$P"$'AllowedIPs = 10.8.0.0/16,\n'
case_of refused "wide mask" "$I$P"$'AllowedIPs = 10.8.0.0/33\n'
case_of refused "short address" "$I$P"$'AllowedIPs = 10.8/16\n'
case_of refused "network that the host has" "$I$P"$'AllowedIPs = 172.16.0.0/24\n'
case_of refused "network of the uplink" "$I$P"$'AllowedIPs = 2001:db8::/64, 172.16.0.0/24\n'
case_of accepted "network around one that the host has" "$I$P"$'AllowedIPs = 172.16.0.0/16\n'
case_of accepted "two peers" "$I$P"$'AllowedIPs = 10.8.0.0/16\n'"$Q"$'AllowedIPs = 10.9.0.0/16\n'
case_of refused "two peers, one network" "$I$P"$'AllowedIPs = 10.8.0.0/16\n'"$Q"$'AllowedIPs = 10.8.0.0/16\n' differs
case_of accepted "one peer twice" "$I$P"$'AllowedIPs = 10.8.0.0/16\n'"$P"$'AllowedIPs = 10.9.0.0/16\n'

case_of accepted "everything, IPv4" "$I$P"$'AllowedIPs = 0.0.0.0/0\n'
case_of accepted "everything, IPv6" "$I$P"$'AllowedIPs = ::/0\n'
case_of accepted "everything" "$I$P"$'AllowedIPs = 0.0.0.0/0, ::/0\n'
case_of accepted "everything, and parts of it" "$I$P"$'AllowedIPs = 0.0.0.0/0, ::/0, 10.8.0.0/16, fd08::/64\n'
case_of accepted "everything, with a mark" "$I"$'FwMark = 0x1234\n'"$P"$'AllowedIPs = 0.0.0.0/0, ::/0\n'
case_of accepted "everything, with a mark off" "$I"$'FwMark = off\n'"$P"$'AllowedIPs = 0.0.0.0/0\n'
case_of accepted "halves of everything" "$I$P"$'AllowedIPs = 0.0.0.0/1, 128.0.0.0/1\n' differs-in-routes
case_of accepted "nearly everything" "$I$P"$'AllowedIPs = 0.0.0.0/1, 128.0.0.0/2\n'
case_of accepted "everything, no addresses" $'[Interface]\nPrivateKey = @A\n'"$P"$'AllowedIPs = 0.0.0.0/0\n'

for table in off auto 1234 main vpn 0x4d2; do
  case_of accepted "table $table" "$I"$"Table = $table"$'\n'"$P"$'AllowedIPs = 10.8.0.0/16, fd08::/64\n'
  # The host has a default route in the main table.
  [[ $table == main ]] || case_of accepted "table $table, everything" "$I"$"Table = $table"$'\n'"$P"$'AllowedIPs = 10.8.0.0/16, ::/0\n'
done
case_of refused "table OFF" "$I"$'Table = OFF\n'"$P"$'AllowedIPs = 10.8.0.0/16\n'
case_of refused "table of no name" "$I"$'Table = nowhere\n'"$P"$'AllowedIPs = 10.8.0.0/16\n'
case_of accepted "table of no name, nothing to route" "$I"$'Table = nowhere\n'"$P"
case_of accepted "table, empty" "$I"$'Table =\n'"$P"$'AllowedIPs = 10.8.0.0/16\n'
case_of accepted "table, the last one" "$I"$'Table = 1\nTable = off\n'"$P"$'AllowedIPs = 10.8.0.0/16\n'
all_same
