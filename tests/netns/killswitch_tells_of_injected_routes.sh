#!/usr/bin/env bash
# While the host is locked, a DHCP server (option 121) and a router (route information) send it routes
# that lead past the tunnel: status shows them and stays armed, the watcher logs each once, and what
# follows them stays in.
source "$(dirname "$0")/killswitch_lib.sh"
make_network
make_tunnel
eventually through_tunnel
ip -n host route add 203.0.113.0/24 via 192.0.2.1 # Its owner's: there before the lock.
in_ns host sysctl -qw net.ipv6.conf.to-world.accept_ra=2 net.ipv6.conf.to-world.accept_ra_rt_info_max_plen=64
killswitch on wg0
armed
refute grep alarm "$dir/status"
watcher=$(watcher)
stop "$watcher"
run_daemon watch host "$GINNEL" killswitch watch
eventually watcher

alarms() { # TEXT: how many it tells of it
  killswitch status --json >"$dir/status.json"
  python3 -c 'import json, sys
print(sum(sys.argv[2] in alarm for alarm in json.load(open(sys.argv[1]))["alarms"]))' "$dir/status.json" "$1"
}
told() { [[ $(alarms "$1") == 1 ]]; }

step "DHCP option 121"
run_daemon dhcp world dnsmasq --keep-in-foreground --conf-file=/dev/null --user=root --port=0 \
  --interface=to-host --dhcp-range=192.0.2.10,192.0.2.20 --dhcp-leasefile="$dir/leases" \
  --dhcp-option=121,0.0.0.0/1,192.0.2.1,128.0.0.0/1,192.0.2.1
cat >"$dir/lease.sh" <<'LEASE'
#!/bin/sh
[ "$1" = bound ] || exit 0
set -- $staticroutes
while [ $# -ge 2 ]; do
  ip route replace "$1" via "$2" dev "$interface" proto dhcp
  shift 2
done
LEASE
chmod +x "$dir/lease.sh"
in_ns host busybox udhcpc -f -q -n -t 20 -T 1 -i to-world -O staticroutes -s "$dir/lease.sh" >"$dir/udhcpc.log" 2>&1
shows host "0.0.0.0/1 via 192.0.2.1" ip route
eventually told "route 0.0.0.0/1 via 192.0.2.1 dev to-world"
told "route 128.0.0.0/1"

step "and an honest one: the default route is set while nothing else is known"
ip -n host route flush to default
in_ns host ip route add default via 192.0.2.1 dev to-world
eventually through_tunnel

step "a router's route information"
in_ns world sysctl -qw net.ipv6.conf.all.forwarding=1
printf 'interface to-host {
  AdvSendAdvert on; MinRtrAdvInterval 3; MaxRtrAdvInterval 4; AdvDefaultLifetime 0;
  route 2000::/3 {};
};\n' >"$dir/radvd.conf"
run_daemon radvd world radvd -n -C "$dir/radvd.conf" -p "$dir/radvd.pid"
wait_for 40 told "route 2000::/3"

step "armed all the same, and nothing follows them"
eventually armed
finds alarm <"$dir/status"
capture follows world to-host
refute reaches host 203.0.113.1
in_ns host ping -c 1 -W 1 -n -I to-world 198.51.100.1 >/dev/null 2>&1 || true
in_ns host ping -c 1 -W 1 -n -I to-world 2001:db8:9::1 >/dev/null 2>&1 || true
marker follows
[[ $(count follows 'icmp[0] == 8 and src host 192.0.2.2 or (icmp6 and ip6[40] == 128)') == 0 ]]

step "each is logged once"
logged() { [[ $(grep -c "route $1" "$dir/watch.log") == 1 ]]; }
eventually logged 0.0.0.0/1
eventually logged 2000::/3
ip -n host route add 10.77.0.0/16 via 192.0.2.1 dev to-world # Makes the watcher look again.
ip -n host route add 9.9.9.0/24 via 192.0.2.1 dev to-world
eventually logged 9.9.9.0/24
logged 0.0.0.0/1
logged 128.0.0.0/1
logged 2000::/3
refute grep 10.77.0.0 "$dir/watch.log"
refute grep 203.0.113.0 "$dir/watch.log"

step "who locks again has seen them"
killswitch on wg0
armed
refute grep alarm "$dir/status"
killswitch off
