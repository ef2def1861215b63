#!/usr/bin/env bash
# Two tunnels that take everything stand beside each other and beside a tunnel of stock wg-quick;
# taking one down, in any order, leaves the others' rules, tables, settings and DNS servers.
#
#   host 192.0.2.2 ──── 192.0.2.1 world
source "$(dirname "$0")/up_lib.sh"
make_host
printf 'nameserver 192.0.2.53\n' >/etc/resolv.conf
write_conf() {
  conf "$1" <<CONF
[Interface]
PrivateKey = @A
Address = 10.$2.0.2/24, fd0$2::2/64
DNS = 10.$2.0.1
[Peer]
PublicKey = @b
AllowedIPs = $3
Endpoint = 192.0.2.1:51820
CONF
}
write_conf wg1 1 "0.0.0.0/0, ::/0"
write_conf wg2 2 "0.0.0.0/1, 128.0.0.0/1"
remember host

for order in "wg1 wg2" "wg2 wg1"; do
  read -r first second <<<"$order"
  step "down of $first, then of $second"
  in_ns host "$GINNEL" up wg1
  host_state host >"$dir/one.before"
  in_ns host "$GINNEL" up wg2 2>"$dir/said"
  grep 'IPv6 goes around this tunnel' "$dir/said"
  [[ $(in_ns host wg show wg2 fwmark) == 0xca6d ]]
  # The world is a neighbour: the main table has a route to it.
  shows host 'dev to-world' ip route get 192.0.2.1 mark 0xca6d
  shows host 'dev wg2' ip route get 198.51.100.1
  in_ns host "$GINNEL" down "$first"
  if [[ $first == wg2 ]]; then
    host_state host >"$dir/one.after"
    unchanged one
  else
    shows host 'dev wg2' ip route get 198.51.100.1
    shows host '= 1' sysctl net.ipv4.conf.all.src_valid_mark
    grep -qx 'nameserver 10.2.0.1' /etc/resolv.conf
  fi
  in_ns host "$GINNEL" down "$second"
  check_unchanged host
done

step "beside stock wg-quick"
sed '/^DNS/d' /etc/wireguard/wg1.conf >/etc/wireguard/stock.conf
chmod 600 /etc/wireguard/stock.conf
WG_QUICK_USERSPACE_IMPLEMENTATION=ginnel-dev in_ns host wg-quick up stock
in_ns host sysctl -qw net.ipv4.conf.all.src_valid_mark=1
host_state host >"$dir/stock.before"
in_ns host "$GINNEL" up wg2
in_ns host "$GINNEL" down wg2
host_state host >"$dir/stock.after"
unchanged stock
status=0
in_ns host "$GINNEL" down stock 2>"$dir/said" || status=$?
((status == 6)) || fail "status $status"
grep 'was not brought up by ginnel; take it down with what did' "$dir/said"
in_ns host wg-quick down stock
