#!/usr/bin/env bash
# A thousand packets a second of every class while the lock changes and is attacked at random: 100
# transitions by a fixed seed, or GINNEL_TRANSITIONS of them by GINNEL_SEED. Nothing gets out.
source "$(dirname "$0")/killswitch_lib.sh"
transitions=${GINNEL_TRANSITIONS:-100}
RANDOM=${GINNEL_SEED:-7}
make_network
make_tunnel
sed 's/192.0.2.1:51820/192.0.2.1:51821/' /etc/wireguard/wg0.conf >"$dir/wg0.conf"
start_probes control
eventually seen_all

killswitch on wg0
capture random world to-host
quietly() { in_ns host "$@" >/dev/null 2>&1 || true; }

attacks=(
  'killswitch on wg0'
  'killswitch on'
  'killswitch on wg0.conf'
  'killswitch on wg0 --plain-tables'
  'nft flush ruleset'
  'ip route flush table 1000'
  'ip -6 route flush table 1000'
  'ip rule del pref 10'
  'ip -6 rule del pref 10'
  'ip rule del pref 11'
  'ip -6 rule del pref 11'
  'nft delete table inet ginnel-lock-host'
  'ip link set wg0 down'
  'ip link set wg0 up'
  'ip route replace 0.0.0.0/1 via 192.0.2.1 dev to-world'
  'ip -6 route replace ::/1 via 2001:db8::1 dev to-world'
  'kill watcher'
  'kill guardian'
  'kill tunnel'
  'ip link del wg0'
  'up wg0'
  'up wg0'
  'iptables-nft -I OUTPUT -j ACCEPT'
  'ip link set to-world down'
  'conntrack'
)
# One of the two that hold the tables at a time: without both anybody may flush them, as
# killswitch_outlives_kill_and_flush.sh shows.
end() {
  [[ -n $1 ]] || return 0
  kill -9 "$1"
  eventually gone "$1"
}
# Plain tables are gone until the watcher has put them back, so they are never flushed here: what
# happens then is killswitch_puts_plain_tables_back.sh.
plain=0
for ((n = 0; n < transitions; n++)); do
  attack=${attacks[RANDOM % ${#attacks[@]}]}
  case $attack in
    'killswitch on wg0 --plain-tables') killswitch on wg0 --plain-tables; plain=1 ;;
    'killswitch on wg0.conf') killswitch on "$dir/wg0.conf"; plain=0 ;;
    'killswitch on') killswitch on; plain=0 ;;
    'killswitch on wg0') killswitch on wg0; plain=0 ;;
    'nft '*) # shellcheck disable=SC2086  # It is a command line.
      ((plain)) || quietly $attack ;;
    'kill watcher') ((plain)) || [[ -z $(guardian) ]] || end "$(watcher)" ;;
    'kill guardian') [[ -z $(watcher) ]] || end "$(guardian)" ;;
    'kill tunnel') end "$(daemon_of host wg0 || true)" ;;
    'up wg0') quietly "$GINNEL" up wg0 ;;
    'ip link set to-world down') quietly ip link set to-world down; quietly ip link set to-world up ;;
    conntrack) quietly ip link set wg0 down; quietly nft flush chain inet ginnel-lock-host output ;;
    *) # shellcheck disable=SC2086  # It is a command line.
      quietly $attack ;;
  esac
done
killswitch on wg0
running "$local_probe" || fail "nothing was sent in the end"
running "$lan_probe" || fail "nothing was forwarded in the end"
stop_probes
quietly ip route del 0.0.0.0/1
reaches world 192.0.2.2 || true # What was on its way is captured by then.
found=$(find_probes random 192.0.2.1:51821)
[[ $found == "{}" ]] || fail "leaked: $found"
armed
killswitch off
