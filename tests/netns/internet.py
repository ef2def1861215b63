#!/usr/bin/env python3
"""What answers on the internet's side of a gateway's tests.

    internet.py NAME                says NAME to every TCP connection on port 80, and to every UDP
                                    datagram on port 7
    internet.py send ADDRESS...     sends a UDP datagram to port 7 of each address every millisecond,
                                    whatever the kernel says, until it is killed
"""
import socket
import sys
import threading
import time


def serve_streams(name: str) -> None:
    with socket.create_server(("::", 80), family=socket.AF_INET6, dualstack_ipv6=True, backlog=64) as server:
        while True:
            stream, _ = server.accept()
            with stream:
                stream.sendall(f"{name}\n".encode())


def serve_datagrams(name: str) -> None:
    """Answers from the address that was asked, which on a host with several is not a matter of course."""
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as server:
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        server.bind(("::", 7))
        while True:
            _, asked, _, sender = server.recvmsg(2048, 256)
            try:
                server.sendmsg([f"{name}\n".encode()], asked, 0, sender)
            except OSError:
                pass  # There is no way back at the moment.


def send(addresses: list[str]) -> None:
    families = [socket.AF_INET6 if ":" in address else socket.AF_INET for address in addresses]
    sockets = [socket.socket(family, socket.SOCK_DGRAM) for family in families]
    while True:
        for sender, address in zip(sockets, addresses):
            try:
                sender.sendto(b"probe", (address, 7))
            except OSError:
                pass  # Refused is what a lock does.
        time.sleep(0.001)


if sys.argv[1] == "send":
    send(sys.argv[2:])
else:
    threading.Thread(target=serve_datagrams, args=sys.argv[1:], daemon=True).start()
    serve_streams(sys.argv[1])
