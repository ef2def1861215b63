#!/usr/bin/env bash
# The way out takes less than the tunnel believed: its datagrams leave in pieces, over both families,
# and arrive. Other programs' pieces do not leave, whether the kernel made them or they were sent raw.
source "$(dirname "$0")/killswitch_lib.sh"
make_network
make_tunnel
eventually through_tunnel
sed 's/192.0.2.1:51820/[2001:db8::1]:51820/' /etc/wireguard/wg0.conf >"$dir/wg0.conf"
chmod 600 "$dir/wg0.conf"
ip -n host link set to-world mtu 1280
ip -n world link set to-host mtu 1280
large() { in_ns host ping -c 1 -W 1 -n -M dont -s 1372 10.9.0.1 >/dev/null 2>&1; }
pieces4='ip[6:2] & 0x1fff != 0 and src host 192.0.2.2'
pieces6='ip6[6] == 44 and src host 2001:db8::2'

# What must stay in: large datagrams to the endpoint without the mark, and later fragments sent raw.
send_pieces() {
  ip netns exec host python3 - "$host_mac" "$world_mac" <<'SEND'
import socket, struct, sys
own, far = (bytes.fromhex(mac.replace(":", "")) for mac in sys.argv[1:])
tried = 0
for family, to in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
    for device in (b"", b"to-world"):
        sock = socket.socket(family, socket.SOCK_DGRAM)
        sock.setsockopt(socket.SOL_SOCKET, 25, device)
        try:
            sock.sendto(b"LEAK-large." * 300, (to, 51820))
        except OSError:
            pass
        tried += 1
raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
raw.bind(("to-world", 0))
payload = b"LEAK-piece." * 20
a, b = (socket.inet_pton(socket.AF_INET, text) for text in ("192.0.2.2", "192.0.2.1"))
four = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 9, 10, 64, 17, 0) + a + b
total = sum(struct.unpack("!10H", four))
total = (total & 0xFFFF) + (total >> 16)
four = four[:10] + struct.pack("!H", ~(total + (total >> 16)) & 0xFFFF) + four[12:]
a, b = (socket.inet_pton(socket.AF_INET6, text) for text in ("2001:db8::2", "2001:db8::1"))
piece = struct.pack("!BBHI", 17, 0, 80, 9) + payload
six = struct.pack("!IHBB", 6 << 28, len(piece), 44, 64) + a + b + piece
for frame in (far + own + b"\x08\x00" + four + payload, far + own + b"\x86\xdd" + six):
    try:
        raw.send(frame)
    except OSError:
        pass
    tried += 1
assert tried == 6
SEND
}

step "without the lock, all pieces are seen"
capture control world to-host
eventually large
send_pieces
seen_all() {
  [[ $(count control "$pieces4") -ge 6 && $(count control "$pieces6") -ge 5 ]] &&
    [[ $(find_probes control | python3 -c 'import json,sys; print(len(json.load(sys.stdin)))') -ge 2 ]]
}
eventually seen_all

step "with it, the tunnel's leave and no other"
killswitch on wg0
armed
capture locked4 world to-host
eventually large
send_pieces
marker locked4
[[ $(count locked4 "$pieces4") -ge 1 ]]
[[ $(count locked4 "$pieces6") == 0 ]]
packets locked4 -A >"$dir/locked4.text"
refute grep LEAK "$dir/locked4.text"

step "over IPv6, too"
in_ns host "$GINNEL" down wg0
cp "$dir/wg0.conf" /etc/wireguard/wg0.conf
in_ns host "$GINNEL" up wg0
in_ns host ip link set wg0 mtu 1420
killswitch on wg0
armed
capture locked6 world to-host
eventually large
send_pieces
marker locked6
[[ $(count locked6 "$pieces6") -ge 1 ]]
packets locked6 -A >"$dir/locked6.text"
refute grep LEAK "$dir/locked6.text"
killswitch off
