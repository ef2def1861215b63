#!/usr/bin/env bash
# A user without any privilege runs a command that sees a loopback and the tunnel and nothing else,
# reaches the other end of it by both families, and looks names up there. The host does not change.
source "$(dirname "$0")/cage_lib.sh"
make_world
serve_names() {
  run_daemon names world dnsmasq --no-daemon --conf-file=/dev/null --no-resolv --no-hosts \
    --bind-interfaces --listen-address=10.9.0.1 --address=/web.example/10.9.0.1 \
    --address=/web.example/fd09::1
}
serve_names
printf 'passwd: files\nhosts: files resolve [!UNAVAIL=return] mdns4_minimal [NOTFOUND=return] dns\n' \
  >/etc/nsswitch.conf
echo 'nameserver 192.0.2.99' >/etc/resolv.conf
host_before=$(in_ns host ip -o link && in_ns host ip route && cat /etc/resolv.conf /etc/nsswitch.conf)

step "what it sees"
[[ $(cage ip -o link | wc -l) == 2 ]] || fail "other links: $(cage ip -o link)"
cage ip -o link show tun0 | finds 'mtu 1420' || fail "$(cage ip -o link)"
[[ $(cage ip route show default) == "default dev tun0"* ]] || fail "$(cage ip route)"
[[ $(cage ip -6 route show default) == "default dev tun0"* ]] || fail "$(cage ip -6 route)"
[[ $(cage id -u) == "$user" && $(cage id -g) == "$user" ]] || fail "it is $(cage id)"
[[ $(cage grep -c '^Cap\(Eff\|Prm\|Inh\|Amb\):.0000000000000000$' /proc/self/status) == 4 ]] ||
  fail "it has capabilities"

step "no descriptor but the first three"
fds=$(cage bash -c 'cd /proc/self/fd && echo *' 7</etc/passwd)
[[ $fds == "0 1 2" || $fds == "0 1 2 3" || $fds == "0 1 2 255" ]] || fail "descriptors: $fds"
# shellcheck disable=SC2016  # Expanded by the shell in there.
inherited=$(cage bash -c 'for fd in /proc/self/fd/*; do readlink "$fd" || true; done' 7</etc/passwd 8<>/dev/net/tun)
[[ $inherited != *passwd* && $inherited != */net/tun* && $inherited != *socket* ]] || fail "$inherited"

step "both families reach the other end"
cage ping -c 1 -W 5 10.9.0.1 >&2
cage ping -c 1 -W 5 fd09::1 >&2

step "names are looked up there"
[[ $(cage cat /etc/resolv.conf) == *$'nameserver 10.9.0.1\nsearch example' ]] || fail "resolv.conf"
[[ $(cage grep hosts: /etc/nsswitch.conf) == "hosts: files dns" ]] || fail "nsswitch.conf"
cage getent ahosts web.example | finds '^10\.9\.0\.1 ' || fail "no name"
cage getent ahosts web | finds '^fd09::1 ' || fail "no name by the search list"
[[ $(cage_with --dns 10.9.0.7 -- cat /etc/resolv.conf) == *"nameserver 10.9.0.7"* ]] || fail "--dns"
refute cage bash -c 'echo nameserver 192.0.2.1 >/etc/resolv.conf' 2>&1

step "the network of the tunnel's own address is one that the peer has"
conf own </dev/null
sed -i 's/^AllowedIPs.*/AllowedIPs = 10.9.0.0\/24, fd09::\/64, 10.9.0.0\/16/' "$own/own.conf"
in_own() { as_user "$GINNEL" cage "$own/own.conf" -- "$@"; }
in_own ping -c 1 -W 5 10.9.0.1 >&2
in_own ping -c 1 -W 5 fd09::1 >&2
in_own ip route | finds '^10.9.0.0/16 dev own'
refute in_own ping -c 1 -W 2 192.0.2.1

step "the host is as it was"
host_after=$(in_ns host ip -o link && in_ns host ip route && cat /etc/resolv.conf /etc/nsswitch.conf)
[[ $host_before == "$host_after" ]] || fail "changed: $host_after"
