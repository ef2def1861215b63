# For the scenarios between `ginnel dev` and a kernel's WireGuard, with a preshared key.
#
#   left: wg-left 10.9.0.1, fd09::1 ── 192.0.2.1 ─ wire ─ 192.0.2.2 ── guest: wg0 10.9.0.2, fd09::2
# shellcheck shell=bash
source "$(dirname "${BASH_SOURCE[0]}")/dev_lib.sh"

psk=$(wg genpsk)

# guest [OPTIONS]: boots it; it knows left as its peer. OPTIONS are those of ../kernel-peer.sh.
guest() {
  kernel_peer guest left 192.0.2.1/24,2001:db8::1/64 192.0.2.2/24,2001:db8::2/64 \
    --private-key "${private[right]}" --listen-port 51822 --address 10.9.0.2/24,fd09::2/64 \
    --peer "${public[left]}" --psk "$psk" --allowed-ips 10.9.0.1/32,fd09::1/128 "$@"
}
in_guest() { in_kernel guest -t 120 "$@"; } # Without KVM it is slow.
guest_handshake() { in_guest wg show wg0 latest-handshakes | cut -f2; }
left_handshake() { in_ns left wg show wg-left latest-handshakes | cut -f2; }

# guest_serve: as serve, in the guest.
guest_serve() {
  in_guest "setsid $tests/netns/echo.py serve 7000 >/dev/null 2>&1 &
    until ss -Hltn | grep -q :7000; do read -rt 0.1 <> <(:) || :; done"
}
guest_echoes() { in_guest "$tests/netns/echo.py" "$1" "$2" 7000 "${@:3}"; }

# The sizes of UDP go from less than a block to several fragments.
carries_from_left() {
  in_ns left ping -c 2 -W 5 "$1"
  echoes left udp "$1" 1 16 17 1372 4000
  echoes left tcp "$1" 2000000
}
carries_from_guest() {
  in_guest ping -c 2 -W 5 "$1"
  guest_echoes udp "$1" 1 16 17 1372 4000
  guest_echoes tcp "$1" 2000000
}
