#!/usr/bin/env python3
"""pinger.py ADDRESS COUNT INTERVAL: prints the microseconds that each ICMP echo took, as JSON.

Between two echoes it sleeps. ping(8) spins where the interval is 10 ms or less, which takes a core
from what is measured, and keeps it from ever being idle. It runs before all other programs, as it
would on a host of its own, and the kernel says when an answer came; what is left is the network's.
"""
import json
import os
import select
import socket
import struct
import sys
import time

ECHO_REQUEST, ECHO_REPLY = 8, 0
HEADER = struct.Struct("!BBHHH")  # Type, code, checksum, identifier, sequence.
PAYLOAD = bytes(56)
SO_TIMESTAMPNS = 35
PATIENCE = 1.0  # Seconds for the last answers.


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total >> 16) + (total & 0xffff)
    return ~total & 0xffff


def request(identifier, sequence):
    """REQUIRES: an even number of bytes of payload."""
    bare = HEADER.pack(ECHO_REQUEST, 0, 0, identifier, sequence) + PAYLOAD
    return HEADER.pack(ECHO_REQUEST, 0, checksum(bare), identifier, sequence) + PAYLOAD


def answered(packet, identifier):
    """The sequence number that an IPv4 packet answers; None where it is something else."""
    icmp = packet[(packet[0] & 15) * 4:] if packet else b""
    if len(icmp) < HEADER.size:
        return None
    kind, _, _, whose, sequence = HEADER.unpack_from(icmp)
    return sequence if kind == ECHO_REPLY and whose == identifier else None


def receive(sock, identifier, sent, took):
    packet, ancillary, _, _ = sock.recvmsg(2048, 64)
    sequence = answered(packet, identifier)
    if sequence is None or sequence not in sent:
        return
    seconds, nanoseconds = struct.unpack("@ll", ancillary[0][2])
    took.append((seconds * 10**9 + nanoseconds - sent.pop(sequence)) / 1000)


def ping(address, count, interval):
    identifier = os.getpid() & 0xffff
    sent, took = {}, []
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as sock:
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        due = time.monotonic()
        for sequence in range(count):
            message = request(identifier, sequence)
            sent[sequence] = time.time_ns()
            sock.sendto(message, (address, 0))
            due = max(due + interval, time.monotonic())
            end = due if sequence + 1 < count else due + PATIENCE
            while (left := end - time.monotonic()) > 0 and (sent or sequence + 1 < count):
                if select.select([sock], [], [], left)[0]:
                    receive(sock, identifier, sent, took)
    return took


if __name__ == "__main__":
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    print(json.dumps(ping(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))))
