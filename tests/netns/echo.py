#!/usr/bin/env python3
"""An echo server for TCP and UDP of both families, and clients that check every byte of the echo.

    echo.py serve PORT                       until it is killed
    echo.py tcp ADDRESS PORT BYTES           there and back, byte for byte
    echo.py stream ADDRESS PORT FOLDER       the same until FOLDER/stop exists; FOLDER/bytes says how
                                             many have come back
    echo.py udp ADDRESS PORT SIZE...         one datagram of each size, repeated while it is lost
    echo.py burst ADDRESS PORT SIZE COUNT    COUNT datagrams handed to the kernel as super-packets
"""
import os
import pathlib
import random
import select
import socket
import struct
import sys
import time

UDP_SEGMENT = 103
# A period that is no multiple of anything: bytes that are lost, doubled or out of place do not match.
PATTERN = random.Random(1).randbytes(1_000_003) * 2
PERIOD = len(PATTERN) // 2
CHUNK = 256 * 1024
PATIENCE = 30


def pattern(offset: int, size: int) -> bytes:
    start = offset % PERIOD
    return PATTERN[start:start + size]


def family_of(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


class Connection:
    """The server's end of a TCP connection: what came and has not gone back yet."""

    def __init__(self, stream: socket.socket):
        self.stream = stream
        self.pending = bytearray()
        self.ended = False

    def turn(self, readable: bool, writable: bool) -> bool:
        """False when it is done with."""
        try:
            if readable:
                received = self.stream.recv(CHUNK)
                self.pending += received
                self.ended = not received
            if writable and self.pending:
                del self.pending[:self.stream.send(self.pending)]
        except BlockingIOError:
            pass
        except OSError:
            return False
        return bool(self.pending) or not self.ended


def serve(port: int) -> None:
    listener = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)
    datagrams = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    datagrams.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    datagrams.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    # Says which of our addresses was asked, and so lets the answer leave from there.
    datagrams.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
    datagrams.bind(("::", port))
    connections: dict[int, Connection] = {}
    while True:
        reading = [fd for fd, c in connections.items() if not c.ended and len(c.pending) < CHUNK]
        writing = [fd for fd, c in connections.items() if c.pending]
        ready, free, _ = select.select([listener, datagrams, *reading], writing, [])
        if listener in ready:
            stream, _ = listener.accept()
            stream.setblocking(False)
            connections[stream.fileno()] = Connection(stream)
        if datagrams in ready:
            data, information, _, source = datagrams.recvmsg(65536, 256)
            datagrams.sendmsg([data], information, 0, source)
        for fd in {*ready, *free} & connections.keys():
            if not connections[fd].turn(fd in ready, fd in free):
                connections.pop(fd).stream.close()


def exchange(stream: socket.socket, enough, progress=lambda received: None) -> int:
    """Sends until enough(sent), and checks the echo to its end."""
    stream.setblocking(False)
    sent = received = 0
    open_ended = True
    while open_ended or received < sent:
        ready, free, _ = select.select([stream], [stream] if open_ended else [], [], PATIENCE)
        if not ready and not free:
            sys.exit(f"nothing moved for {PATIENCE} s, {received} of {sent} bytes back")
        if free:
            sent += stream.send(pattern(sent, CHUNK))
            if enough(sent):
                stream.shutdown(socket.SHUT_WR)
                open_ended = False
        if ready:
            data = stream.recv(CHUNK)
            if not data:
                sys.exit(f"the connection ended after {received} of {sent} bytes")
            if data != pattern(received, len(data)):
                sys.exit(f"other bytes came back at {received}")
            received += len(data)
            progress(received)
    return received


def tcp(address: str, port: int, size: int) -> None:
    with socket.create_connection((address, port), PATIENCE) as stream:
        exchange(stream, lambda sent: sent >= size)


def stream_until_told(address: str, port: int, folder: pathlib.Path) -> None:
    progress = os.open(folder / "bytes", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    stop = folder / "stop"
    with socket.create_connection((address, port), PATIENCE) as stream:
        exchange(stream, lambda sent: stop.exists(),
                 lambda received: os.pwrite(progress, b"%020d\n" % received, 0))


def udp(address: str, port: int, sizes: list[int]) -> None:
    for size in sizes:
        for attempt in range(PATIENCE * 2):
            # A socket of its own, so that a late echo is not taken for that of another size.
            with socket.socket(family_of(address), socket.SOCK_DGRAM) as datagrams:
                datagrams.connect((address, port))
                datagrams.settimeout(0.5)
                data = pattern(size * 1009 + attempt, size)
                try:
                    datagrams.send(data)
                    back = datagrams.recv(65536)
                except (TimeoutError, ConnectionRefusedError):
                    continue
                if back != data:
                    sys.exit(f"other bytes came back in a datagram of {size}")
                break
        else:
            sys.exit(f"no datagram of {size} bytes came back")


def burst(address: str, port: int, size: int, count: int) -> None:
    """Each datagram begins with its number, from which the rest follows."""
    datagram = {n: struct.pack("!I", n) + pattern(n * 4099, size - 4) for n in range(count)}
    missing = set(datagram)
    end = time.monotonic() + PATIENCE
    with socket.socket(family_of(address), socket.SOCK_DGRAM) as datagrams:
        datagrams.setsockopt(socket.SOL_UDP, UDP_SEGMENT, size)
        datagrams.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        datagrams.connect((address, port))
        datagrams.settimeout(0.2)
        while missing:
            if time.monotonic() > end:
                sys.exit(f"{len(missing)} of {count} datagrams of {size} bytes never came back")
            wanted = sorted(missing)[:min(60, 65000 // size)]
            datagrams.send(b"".join(datagram[n] for n in wanted))
            try:
                for _ in wanted:
                    data = datagrams.recv(65536)
                    number, = struct.unpack_from("!I", data)
                    if data != datagram.get(number):
                        sys.exit(f"other bytes came back in datagram {number} of {size} bytes")
                    missing.discard(number)
            except (TimeoutError, ConnectionRefusedError):
                pass


def main() -> None:
    verb, *arguments = sys.argv[1:] or ["help"]
    if verb == "serve" and len(arguments) == 1:
        serve(int(arguments[0]))
    elif verb == "tcp" and len(arguments) == 3:
        tcp(arguments[0], int(arguments[1]), int(arguments[2]))
    elif verb == "stream" and len(arguments) == 3:
        stream_until_told(arguments[0], int(arguments[1]), pathlib.Path(arguments[2]))
    elif verb == "udp" and len(arguments) > 2:
        udp(arguments[0], int(arguments[1]), [int(size) for size in arguments[2:]])
    elif verb == "burst" and len(arguments) == 4:
        burst(arguments[0], int(arguments[1]), int(arguments[2]), int(arguments[3]))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
