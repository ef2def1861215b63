#!/usr/bin/env bash
# Where systemd-resolved answers for the host, `ginnel up` gives the tunnel's link its servers and every
# name, `reload` changes them, and `down` leaves resolved as it was. Where it does not run, resolvconf
# is told instead, or the failure says what to do.
#
#   host 192.0.2.2 ──── 192.0.2.1 world: DNS at 192.0.2.1, and in the tunnel at 10.9.0.1
# shellcheck disable=SC2016  # Others expand it.
source "$(dirname "$0")/up_lib.sh"
source "$(dirname "$0")/resolved_lib.sh"
make_host
in_ns world ginnel-dev wg-far
in_ns world wg set wg-far private-key <(echo "$key_b") listen-port 51820 \
  peer "$pub_a" allowed-ips 10.9.0.2/32
address world wg-far 10.9.0.1/24,10.9.0.3/32
ip -n world link set wg-far up
# Answers every question with the address that is its last argument's.
cat >"$dir/dns.py" <<'END'
import socket, struct, sys
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind((sys.argv[1], 53))
while True:
    query, sender = server.recvfrom(2048)
    end = query.index(b"\0", 12) + 5
    is_a = query[end - 4:end - 2] == b"\0\1"
    answer = struct.pack("!HHHIH", 0xC00C, 1, 1, 60, 4) + socket.inet_aton(sys.argv[2]) if is_a else b""
    server.sendto(query[:2] + b"\x81\x80\0\1" + struct.pack("!H", is_a) + b"\0\0\0\0" + query[12:end] + answer, sender)
END
run_daemon dns-outside world python3 "$dir/dns.py" 192.0.2.1 10.88.0.1
run_daemon dns-inside world python3 "$dir/dns.py" 10.9.0.1 10.77.0.1
run_daemon dns-inside2 world python3 "$dir/dns.py" 10.9.0.3 10.77.0.3
eventually in_ns world bash -c '(($(ss -Hlun | grep -c ":53 ") == 3))'

step "systemd-resolved on a bus of its own"
start_resolved host to-world 192.0.2.1 home.example
asks() { [[ $(in_ns host getent ahostsv4 "$1" | awk 'NR == 1 { print $1 }') == "$2" ]]; }
eventually asks some.example 10.88.0.1
told >"$dir/before"
remember host
write_conf() {
  conf wg0 <<CONF
[Interface]
PrivateKey = @A
Address = 10.9.0.2/24
$1
[Peer]
PublicKey = @b
AllowedIPs = 10.9.0.0/24
Endpoint = 192.0.2.1:51820
CONF
}

step "up"
write_conf 'DNS = 10.9.0.1, corp.example'
in_ns host "$GINNEL" up wg0
[[ $(ctl dns wg0) == *": 10.9.0.1" ]] || fail "$(ctl dns wg0)"
[[ $(ctl domain wg0) == *": corp.example ~." ]] || fail "$(ctl domain wg0)"
[[ $(ctl default-route wg0) == *": yes" && $(ctl default-route to-world) == *": no" ]]
eventually asks other.example 10.77.0.1
eventually asks printer.home.example 10.88.0.1 # The other link's own domain stays its own.

step "reload"
write_conf 'DNS = 10.9.0.3'
in_ns host "$GINNEL" reload wg0
[[ $(ctl dns wg0) == *": 10.9.0.3" && $(ctl domain wg0) == *": ~." ]]
eventually asks third.example 10.77.0.3
write_conf ''
in_ns host "$GINNEL" reload wg0
[[ $(ctl dns wg0) == *"):" && $(ctl default-route to-world) == *": yes" ]]
eventually asks fourth.example 10.88.0.1

step "down leaves it as it was"
write_conf 'DNS = 10.9.0.1'
in_ns host "$GINNEL" reload wg0
eventually asks fifth.example 10.77.0.1
in_ns host "$GINNEL" down wg0
same_told() { diff "$dir/before" <(told); }
eventually same_told
eventually asks sixth.example 10.88.0.1
check_unchanged host

step "it goes away meanwhile"
in_ns host "$GINNEL" up wg0
stop "$daemon"
in_ns host "$GINNEL" down wg0

step "it does not run"
rm -f /etc/resolv.conf
ln -s /run/systemd/resolve/stub-resolv.conf /etc/resolv.conf
status=0
in_ns host "$GINNEL" up wg0 2>"$dir/said" || status=$?
((status == 1))
grep -q "systemd-resolved's, which does not run; start it" "$dir/said" || fail "$(<"$dir/said")"
mkdir "$dir/bin"
printf '#!/bin/sh\necho "$@" >>%s\n' "$dir/resolvconf" >"$dir/bin/resolvconf"
chmod +x "$dir/bin/resolvconf"
PATH="$dir/bin:$PATH" in_ns host "$GINNEL" up wg0
PATH="$dir/bin:$PATH" in_ns host "$GINNEL" down wg0
grep -q '^-a .*wg0' "$dir/resolvconf"
rm /etc/resolv.conf
echo 'nameserver 192.0.2.1' >/etc/resolv.conf
in_ns host "$GINNEL" up wg0
grep -qx 'nameserver 10.9.0.1' /etc/resolv.conf
in_ns host "$GINNEL" down wg0
grep -qx 'nameserver 192.0.2.1' /etc/resolv.conf
