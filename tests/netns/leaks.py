#!/usr/bin/env python3
"""What a kill switch has to keep in: sends it, and finds it on the wire.

  leaks.py send DEVICE ROUTER_MAC [--rate N] [--seconds S] [--only CLASS,...]
      sends packets of every class in turn until SIGTERM; prints {class: sent} as JSON
  leaks.py find PCAP HOST_MAC ENDPOINT...
      prints {class: seen} as JSON; what is neither a probe nor excepted is "other"

A probe carries "LEAK-CLASS." in clear. Excepted are ARP, neighbour discovery, DHCP, and UDP to the
endpoints (ADDRESS:PORT).
"""
import argparse
import errno
import ipaddress
import json
import signal
import socket
import struct
import sys
import time

OUTSIDE4, OUTSIDE6 = "198.51.100.1", "2001:db8:9::1"
MARK = 0x8888
SO_BINDTODEVICE, SO_MARK = 25, 36
PACKET_QDISC_BYPASS, SOL_PACKET = 20, 263


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def udp_frame(router, device, source, destination, payload):
    """An Ethernet frame that a raw socket sends past routing and filter."""
    src, dst = ipaddress.ip_address(source), ipaddress.ip_address(destination)
    own = open(f"/sys/class/net/{device}/address").read().strip()
    macs = bytes.fromhex(router.replace(":", "")) + bytes.fromhex(own.replace(":", ""))
    length = 8 + len(payload)
    pseudo = src.packed + dst.packed + struct.pack("!HBB", length, 0, 17)
    udp = struct.pack("!HHHH", 9999, 9, length, 0) + payload
    udp = udp[:6] + struct.pack("!H", checksum(pseudo + udp)) + udp[8:]
    if src.version == 4:
        ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + length, 7, 0, 64, 17, 0) + src.packed + dst.packed
        ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
        return macs + b"\x08\x00" + ip + udp
    return macs + b"\x86\xdd" + struct.pack("!IHBB", 6 << 28, length, 17, 64) + src.packed + dst.packed + udp


def sockets(device, router, endpoint, own4, own6):
    """{class: a function that sends one packet of it}"""
    probes = {}

    def udp(name, family, to, options=(), bind=None):
        sock = socket.socket(family, socket.SOCK_DGRAM)
        for level, option, value in options:
            sock.setsockopt(level, option, value)
        if bind:
            sock.bind(bind)
        sock.setblocking(False)
        payload = f"LEAK-{name}.".encode()
        probes[name] = lambda: sock.sendto(payload, to)

    def connected(name, family, to):
        """A live flow: connected before whatever happens."""
        sock = socket.socket(family, socket.SOCK_DGRAM)
        sock.setblocking(False)
        try:
            sock.connect(to)
        except OSError:
            return
        payload = f"LEAK-{name}.".encode()
        probes[name] = lambda: sock.send(payload)

    def raw(name, source, destination, bypass):
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        sock.bind((device, 0))
        if bypass:
            sock.setsockopt(SOL_PACKET, PACKET_QDISC_BYPASS, 1)
        frame = udp_frame(router, device, source, destination, f"LEAK-{name}.".encode())
        probes[name] = lambda: sock.send(frame)

    v4, v6 = socket.AF_INET, socket.AF_INET6
    bound = [(socket.SOL_SOCKET, SO_BINDTODEVICE, device.encode())]
    marked = [(socket.SOL_SOCKET, SO_MARK, MARK)]
    udp("local4", v4, (OUTSIDE4, 9))
    udp("local6", v6, (OUTSIDE6, 9))
    connected("live4", v4, (OUTSIDE4, 10))
    connected("live6", v6, (OUTSIDE6, 10))
    udp("bound4", v4, (OUTSIDE4, 9), bound)
    udp("bound6", v6, (OUTSIDE6, 9), bound)
    udp("address4", v4, (OUTSIDE4, 9), bind=(own4, 0))
    udp("address6", v6, (OUTSIDE6, 9), bind=(own6, 0))
    udp("marked4", v4, (OUTSIDE4, 9), marked)
    udp("marked6", v6, (OUTSIDE6, 9), marked)
    udp("endpoint4", v4, (endpoint, 9))
    udp("endpointport4", v4, (endpoint, 51820), bound)
    udp("dns4", v4, (endpoint, 53))
    udp("dns6", v6, (OUTSIDE6, 53))
    udp("lan4", v4, (endpoint, 5353), bound)
    udp("mdns4", v4, ("224.0.0.251", 5353), bound)
    udp("mdns6", v6, ("ff02::fb", 5353, 0, socket.if_nametoindex(device)))
    raw("raw4", own4, OUTSIDE4, False)
    raw("raw6", own6, OUTSIDE6, False)
    raw("bypass4", own4, OUTSIDE4, True)
    raw("bypass6", own6, OUTSIDE6, True)
    return probes


def send(args):
    running = True

    def stop(*_):
        nonlocal running
        running = False

    signal.signal(signal.SIGTERM, stop)
    if args.only == ["forwarded"]:
        probes = {}
        for name, family, to in (("forwarded4", socket.AF_INET, OUTSIDE4), ("forwarded6", socket.AF_INET6, OUTSIDE6)):
            sock = socket.socket(family, socket.SOCK_DGRAM)
            sock.setblocking(False)
            probes[name] = lambda s=sock, n=name, t=to: s.sendto(f"LEAK-{n}.".encode(), (t, 9))
    else:
        probes = sockets(args.device, args.router, args.endpoint, args.own4, args.own6)
    tried = dict.fromkeys(probes, 0)
    print("ready", flush=True)
    end = time.monotonic() + args.seconds
    next_send = time.monotonic()
    while running and time.monotonic() < end:
        for name, probe in probes.items():
            tried[name] += 1
            try:
                probe()
            except OSError as error:
                if error.errno == errno.EBADF:
                    raise
            next_send += 1 / args.rate
            wait = next_send - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            elif wait < -1:
                next_send = time.monotonic()  # A machine that was busy is not to be flooded.
    print(json.dumps(tried), flush=True)


def frames(path):
    data = open(path, "rb").read()
    order = "<" if data[:4] == b"\xd4\xc3\xb2\xa1" else ">"
    at = 24
    while at + 16 <= len(data):
        size = struct.unpack(order + "I", data[at + 8 : at + 12])[0]
        yield data[at + 16 : at + 16 + size]
        at += 16 + size


def is_excepted(frame, endpoints):
    kind = frame[12:14]
    if kind == b"\x08\x06":
        return True
    if kind == b"\x08\x00":
        header = (frame[14] & 15) * 4
        if frame[23] != 17:
            return False
        to = str(ipaddress.ip_address(frame[30:34]))
        source, port = struct.unpack("!HH", frame[14 + header : 18 + header])
        return (source, port) == (68, 67) or f"{to}:{port}" in endpoints
    if kind == b"\x86\xdd":
        protocol, to = frame[20], str(ipaddress.ip_address(frame[38:54]))
        if protocol == 58:
            return frame[54] in (133, 135, 136)
        if protocol == 17:
            source, port = struct.unpack("!HH", frame[54:58])
            return (source, port) == (546, 547) or f"[{to}]:{port}" in endpoints
    return False


def find(args):
    seen = {}
    mac = bytes.fromhex(args.host.replace(":", ""))
    for frame in frames(args.pcap):
        if frame[6:12] != mac:
            continue
        at = frame.find(b"LEAK-")
        if at >= 0:
            name = frame[at + 5 :].split(b".")[0].decode(errors="replace")
        elif is_excepted(frame, args.endpoints):
            continue
        else:
            name = "other"
            if args.verbose:
                print(frame.hex(), file=sys.stderr)
        seen[name] = seen.get(name, 0) + 1
    print(json.dumps(seen))


def main():
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(required=True)
    sender = commands.add_parser("send")
    sender.add_argument("device")
    sender.add_argument("router")
    sender.add_argument("--rate", type=float, default=1000)
    sender.add_argument("--seconds", type=float, default=1500)
    sender.add_argument("--endpoint", default="192.0.2.1")
    sender.add_argument("--own4", default="192.0.2.2")
    sender.add_argument("--own6", default="2001:db8::2")
    sender.add_argument("--only", type=lambda text: text.split(","), default=[])
    sender.set_defaults(run=send)
    finder = commands.add_parser("find")
    finder.add_argument("pcap")
    finder.add_argument("host")
    finder.add_argument("endpoints", nargs="*")
    finder.add_argument("--verbose", action="store_true")
    finder.set_defaults(run=find)
    args = parser.parse_args()
    args.run(args)


main()
