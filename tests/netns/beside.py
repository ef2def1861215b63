#!/usr/bin/env python3
"""Tells a program by which way it reached the internet.

    beside.py serve                     on TCP port 90, and UDP ports 53 and 91, answers every message
                                        with the address that it came from
    beside.py ask tcp|udp ADDRESS PORT [--from PORT] [--device NAME]
                                        prints the answer; fails when there is none
    beside.py talk ADDRESS FOLDER       a TCP connection that goes on; FOLDER/heard has an answer a line,
                                        and FOLDER/said counts what was written;
                                        until FOLDER/stop exists
"""
import argparse
import pathlib
import socket
import threading
import time

SO_BINDTODEVICE = 25
PATIENCE = 2


def family_of(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def name(sender) -> bytes:
    return sender[0].removeprefix("::ffff:").encode() + b"\n"


def answer(stream: socket.socket, sender) -> None:
    with stream:
        while stream.recv(2048):
            stream.sendall(name(sender))


def serve_streams() -> None:
    with socket.create_server(("::", 90), family=socket.AF_INET6, dualstack_ipv6=True) as server:
        while True:
            threading.Thread(target=answer, args=server.accept(), daemon=True).start()


def serve_datagrams(port: int) -> None:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as server:
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        server.bind(("::", port))
        while True:
            _, asked, _, sender = server.recvmsg(2048, 256)
            server.sendmsg([name(sender)], asked, 0, sender)


def serve(_) -> None:
    for port in (53, 91):
        threading.Thread(target=serve_datagrams, args=(port,), daemon=True).start()
    serve_streams()


def ask(args) -> None:
    kind = socket.SOCK_STREAM if args.protocol == "tcp" else socket.SOCK_DGRAM
    with socket.socket(family_of(args.address), kind) as asking:
        asking.settimeout(PATIENCE)
        asking.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if args.device:
            asking.setsockopt(socket.SOL_SOCKET, SO_BINDTODEVICE, args.device.encode())
        if args.source:
            asking.bind(("", args.source))
        asking.connect((args.address, args.port))
        asking.send(b"who\n")
        print(asking.recv(2048).decode().strip())


def talk(args) -> None:
    said = 0
    with socket.create_connection((args.address, 90), timeout=PATIENCE) as stream:
        stream.setblocking(False)
        while not (args.folder / "stop").exists():
            try:
                stream.send(b"who\n")
            except OSError:
                pass  # It may have ended; what matters is that it was tried.
            said += 1
            (args.folder / "said").write_text(str(said))
            try:
                with (args.folder / "heard").open("ab") as heard:
                    heard.write(stream.recv(2048))
            except OSError:
                pass
            time.sleep(0.02)


def main() -> None:
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(required=True)
    commands.add_parser("serve").set_defaults(run=serve)
    asker = commands.add_parser("ask")
    asker.add_argument("protocol", choices=("tcp", "udp"))
    asker.add_argument("address")
    asker.add_argument("port", type=int)
    asker.add_argument("--from", dest="source", type=int)
    asker.add_argument("--device")
    asker.set_defaults(run=ask)
    talker = commands.add_parser("talk")
    talker.add_argument("address")
    talker.add_argument("folder", type=pathlib.Path)
    talker.set_defaults(run=talk)
    args = parser.parse_args()
    args.run(args)


main()
