#!/usr/bin/env bash
# `ginnel down` takes a tunnel down whose file has meanwhile been spoilt or lost: with the commands that
# it still names, and never by the name of another file. A tunnel in the foreground does the same, and
# waits for a reload to end.
#
#   host 192.0.2.2 ──── 192.0.2.1 world
source "$(dirname "$0")/up_lib.sh"
make_host
printf 'nameserver 192.0.2.53\n' >/etc/resolv.conf
write_conf() {
  conf wg0 <<CONF
[Interface]
PrivateKey = @A
Address = 10.9.0.2/24
DNS = 10.9.0.1
SaveConfig = true
PreDown = echo pre >>$dir/ran
PostDown = echo post >>$dir/ran
[Peer]
PublicKey = @b
AllowedIPs = 0.0.0.0/0
$1
CONF
}
remember host

step "a mistake in a peer"
write_conf ""
in_ns host "$GINNEL" up wg0
write_conf "Endpoint = nonsense"
before=$(cat /etc/wireguard/wg0.conf)
in_ns host "$GINNEL" down wg0 2>"$dir/said"
grep -q 'warning /etc/wireguard/wg0.conf:11: Endpoint: "nonsense" is no endpoint' "$dir/said"
grep -q 'wg0 is taken down all the same, and nothing is saved' "$dir/said"
[[ $(tr '\n' ' ' <"$dir/ran") == "pre post " ]] || fail "ran: $(cat "$dir/ran")"
[[ $(cat /etc/wireguard/wg0.conf) == "$before" ]] || fail "the file was changed"
check_unchanged host

step "the file is gone"
write_conf ""
in_ns host "$GINNEL" up wg0
mv /etc/wireguard/wg0.conf "$dir/saved"
status=0
in_ns host "$GINNEL" down "$dir/wg0.conf" 2>"$dir/said" || status=$?
((status == 1)) || fail "status $status: $(cat "$dir/said")"
grep -q 'wg0.conf: there is no such file; .*; wg0 was brought up by /etc/wireguard/wg0.conf' "$dir/said"
in_ns host "$GINNEL" down wg0 2>"$dir/said"
grep -q 'there is no such file any more; wg0 is taken down without its commands' "$dir/said"
check_unchanged host
refute in_ns host "$GINNEL" down wg0 2>"$dir/said"
grep -qx 'down: /etc/wireguard/wg0.conf: there is no such file; give a path, or put it there' "$dir/said"

step "a tunnel in the foreground, whose file is spoilt"
write_conf ""
run_daemon stays host "$GINNEL" up --foreground wg0
eventually grep -q nameserver.10.9.0.1 /etc/resolv.conf
eventually in_ns host ip rule show table 51820
write_conf "Endpoint = nonsense"
stop "$daemon"
((status == 0)) || fail "status $status"
check_unchanged host

step "and one that is being reloaded"
write_conf ""
run_daemon stays host "$GINNEL" up --foreground wg0
stays=$daemon
eventually grep -q nameserver.10.9.0.1 /etc/resolv.conf
write_conf "Endpoint = no.such.host.example:1" # Nobody answers, so it is asked again.
run_daemon reload host "$GINNEL" reload wg0
eventually grep -q 'trying again' "$dir/reload.log"
kill -TERM "$stays"
eventually grep -q 'as a signal asked' "$dir/stays.log"
stop "$daemon"
eventually gone "$stays"
status=0
wait "$stays" || status=$?
((status == 0)) || fail "status $status"
check_unchanged host
