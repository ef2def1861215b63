#!/usr/bin/env bash
# However `ginnel up` or the tunnel's process is killed, `down` puts the host back as it was, and so
# does the next `up` with what a killed tunnel left. Two commands at once: one of them is refused.
#
#   host 192.0.2.2 ──── 192.0.2.1 world
source "$(dirname "$0")/up_lib.sh"
make_host
printf 'nameserver 192.0.2.53\n' >/etc/resolv.conf
remember host
mkfifo "$dir/go"
write_conf() {
  conf wg0 <<CONF
[Interface]
PrivateKey = @A
Address = 10.9.0.2/24, fd09::2/64
DNS = 10.9.0.1
$1
[Peer]
PublicKey = @b
AllowedIPs = 0.0.0.0/0, ::/0
Endpoint = 192.0.2.1:51820
CONF
}
# started: `up` waits in a hook, which has said so.
start_up() {
  rm -f "$dir/waits"
  run_daemon up host "$GINNEL" up wg0
  eventually test -e "$dir/waits"
}
no_link() { ! in_ns host ip link show wg0; }
# Its threads end one after the other, and with the last of them the interface.
kill_daemon() {
  kill -9 "$(daemon_of host wg0)"
  eventually no_link
}
# Who was killed may have had nothing to take back yet, or be about to end.
is_down() {
  local status=0
  in_ns host "$GINNEL" down wg0 2>"$dir/said" || status=$?
  ((status == 0)) || { ((status == 1)) && grep -q 'wg0 does not exist' "$dir/said"; }
}
stands_after_up() { in_ns host "$GINNEL" up wg0 || in_ns host wg show wg0; }
wait_hook="touch $dir/waits; read line <$dir/go"

for place in PreUp PostUp; do
  step "up is killed while $place runs; down"
  write_conf "$place = $wait_hook"
  start_up
  kill -9 "$daemon"
  eventually gone "$daemon"
  write_conf ""
  in_ns host "$GINNEL" down wg0
  check_unchanged host
  echo >"$dir/go" # Lets the hook go, whose parent is dead.
done

step "up is asked to stop while PostUp runs"
write_conf "PostUp = $wait_hook"
start_up
kill -TERM "$daemon"
eventually gone "$daemon"
wait "$daemon" && fail "up says that it succeeded"
check_unchanged host

step "a second command meanwhile"
start_up
status=0
in_ns host "$GINNEL" down wg0 2>"$dir/second" || status=$?
((status == 6)) || fail "status $status"
grep "process $daemon (ginnel) has it" "$dir/second"
refute in_ns host "$GINNEL" up wg0 2>/dev/null
echo >"$dir/go"
eventually gone "$daemon"
wait "$daemon"
in_ns host wg show wg0 >/dev/null

step "up is killed while it makes the interface; up"
# What makes it goes on, and holds the lock meanwhile.
in_ns host "$GINNEL" down wg0
check_unchanged host
for delay in 0.004 0.008 0.012 0.016 0.020 0.024 0.028 0.032; do
  write_conf ""
  in_ns host timeout -s KILL "$delay" "$GINNEL" up wg0 2>/dev/null || true
  if [[ $delay == *[48] ]]; then eventually stands_after_up; fi
  eventually is_down
  check_unchanged host
  [[ ! -e /var/run/wireguard/wg0.sock ]] || fail "its socket stays"
done

step "Ctrl-C while it makes the interface"
for delay in 0.006 0.008 0.010 0.012 0.014 0.016 0.018 0.020 0.024 0.028 0.034 0.040; do
  status=0
  in_ns host timeout --preserve-status -s INT "$delay" "$GINNEL" up wg0 2>/dev/null || status=$?
  ((status != 0)) || in_ns host "$GINNEL" down wg0
  check_unchanged host
  [[ ! -e /var/run/wireguard/wg0.sock ]] || fail "its socket stays"
done

step "the tunnel's process is killed; up again, and down"
in_ns host "$GINNEL" up wg0
kill_daemon
shows host '51820' ip rule
in_ns host "$GINNEL" up wg0
[[ $(in_ns host wg show wg0 fwmark) == 0xca6c ]] || fail "the old table is taken for somebody's"
(($(in_ns host ip rule | wc -l) == 5)) || fail "rules doubled: $(in_ns host ip rule)"
in_ns host "$GINNEL" down wg0
check_unchanged host

step "the tunnel's process is killed; down"
in_ns host "$GINNEL" up wg0
kill_daemon
in_ns host "$GINNEL" down wg0
check_unchanged host
refute in_ns host "$GINNEL" down wg0 2>/dev/null
