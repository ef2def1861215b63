#!/usr/bin/env bash
# Names in a cage are looked up by the file's servers also where the host's resolv.conf is a link to
# systemd-resolved's, and where nscd answers; and root's cage is a cage as well.
source "$(dirname "$0")/cage_lib.sh"
make_world
mkdir -p /run/systemd/resolve /run/nscd
echo 'nameserver 127.0.0.53' >/run/systemd/resolve/stub-resolv.conf
ln -sf ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf
for socket in /run/systemd/resolve/io.systemd.Resolve /run/nscd/socket; do
  socat "UNIX-LISTEN:$socket,fork,mode=666" "SYSTEM:touch $dir/asked" &
done
has_sockets() { [[ -S /run/systemd/resolve/io.systemd.Resolve && -S /run/nscd/socket ]]; }
eventually has_sockets

step "the host's own are there outside"
as_user getent hosts leak.example || true
was_asked() { [[ -e $dir/asked ]]; }
eventually was_asked

step "and hidden inside"
[[ $(cage cat /etc/resolv.conf) == *$'nameserver 10.9.0.1\nsearch example' ]] || fail "resolv.conf"
[[ $(cage bash -c 'echo /run/nscd/* /run/systemd/resolve/*') == \
  '/run/nscd/* /run/systemd/resolve/stub-resolv.conf' ]] || fail "$(cage ls /run/systemd/resolve)"
capture questions world wg0 'udp port 53'
cage timeout 5 getent hosts leak.example || true
was_sent() { [[ $(count questions 'dst host 10.9.0.1') != 0 ]]; }
eventually was_sent
[[ $(</run/systemd/resolve/stub-resolv.conf) == 'nameserver 127.0.0.53' ]] || fail "the host's changed"

step "root's is a cage as well"
# shellcheck disable=SC2016  # Expanded by the shell in there.
in_ns host "$GINNEL" cage "$own/tun0.conf" -- bash -c '
  (($(ip -o link | wc -l) == 2)) && grep -q 10.9.0.1 /etc/resolv.conf && ping -c 1 -W 5 10.9.0.1 &&
  ! ip link set tun0 down' >&2

step "a link that leads nowhere"
rm /run/systemd/resolve/stub-resolv.conf
expect 1 cage true 2>"$dir/nowhere.txt"
grep -q '^cage: /etc/resolv.conf is missing or leads nowhere' "$dir/nowhere.txt" ||
  fail "says $(cat "$dir/nowhere.txt")"
