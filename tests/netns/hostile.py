#!/usr/bin/env python3
"""Sends what a WireGuard port should survive.

    hostile.py garbage ADDRESS PORT COUNT          random bytes, and messages of every type cut off
                                                   at every length
    hostile.py initiations ADDRESS PORT COUNT      whole handshake messages with a wrong mac1
    hostile.py replay ADDRESS PORT COUNT CAPTURE   the UDP payloads that tcpdump recorded, again
"""
import itertools
import pathlib
import random
import socket
import struct
import sys
import time

# More at a time would only measure the receiver's socket buffer.
BATCH = 200
PAUSE = 0.002
INITIATION_BYTES = 148


def garbage(count: int):
    rng = random.Random(2)
    for number in range(count):
        size = rng.choice((0, 1, 3, 4, 15, 16, 31, 32, 63, 64, 65, 91, 92, 93, 147, 148, 149, 1400, 1500))
        body = bytearray(rng.randbytes(size))
        if number % 2 and size >= 4:
            body[:4] = bytes((rng.randint(0, 5), 0, 0, 0))
        yield bytes(body)


def initiations(count: int):
    rng = random.Random(3)
    for _ in range(count):
        yield b"\1\0\0\0" + rng.randbytes(INITIATION_BYTES - 4)


def recorded(capture: pathlib.Path):
    """UDP payloads over IPv4 and Ethernet from a pcap file."""
    data = capture.read_bytes()
    at = 24
    while at + 16 <= len(data):
        size, = struct.unpack_from("<I", data, at + 8)
        frame = data[at + 16:at + 16 + size]
        at += 16 + size
        if len(frame) > 42 and frame[12:14] == b"\x08\0" and frame[23] == socket.IPPROTO_UDP:
            yield frame[14 + (frame[14] & 15) * 4 + 8:]


def send(address: str, port: int, datagrams) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as out:
        for number, datagram in enumerate(datagrams, 1):
            out.sendto(datagram, (address, port))
            if number % BATCH == 0:
                time.sleep(PAUSE)


def main() -> None:
    if len(sys.argv) < 5:
        sys.exit(__doc__)
    verb, address, port, count = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    if verb == "garbage":
        send(address, port, garbage(count))
    elif verb == "initiations":
        send(address, port, initiations(count))
    elif verb == "replay":
        datagrams = list(recorded(pathlib.Path(sys.argv[5])))
        if not datagrams:
            sys.exit("nothing was recorded")
        send(address, port, itertools.islice(itertools.cycle(datagrams), count))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
