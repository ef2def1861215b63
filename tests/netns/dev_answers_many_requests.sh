#!/usr/bin/env bash
# The control socket serves several requests on one connection, in pieces of any size, a request of
# 5 MiB, and other clients while one says nothing; what is beyond the limits gets an errno, not
# patience.
source "$(dirname "$0")/dev_lib.sh"
namespace left
run_daemon ginnel left "$GINNEL" dev ours --foreground
eventually in_ns left wg show ours
python3 - /var/run/wireguard/ours.sock <<'PYTHON'
import socket
import sys

path = sys.argv[1]


def connect() -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(20)
    connection.connect(path)
    return connection


def answers(connection: socket.socket, count: int) -> list[dict]:
    """Each answer as what its keys say last."""
    data = bytearray()
    ends = 0
    while ends < count:
        received = connection.recv(1 << 20)
        if not received:
            break
        ends += (data[-1:] + received).count(b"\n\n")
        data += received
    texts = data.decode().split("\n\n")
    assert texts.pop() == "" and len(texts) == count, data
    return [dict(line.split("=", 1) for line in text.split("\n")) for text in texts]


with connect() as one:
    one.sendall(b"get=1\n\nset=1\nfwmark=5\n\nget=1\n\nset=1\nnonsense=1\n\nset=1\nfwmark=6\n\nget=1\n\n")
    first, done, second, refused, again, third = answers(one, 6)
    assert "fwmark" not in first and first["errno"] == "0", first
    assert done["errno"] == "0" and second["fwmark"] == "5", second
    assert refused["errno"] == "-22" and again["errno"] == "0" and third["fwmark"] == "6", third

with connect() as slow:
    for byte in b"set=1\nfwmark=7\n\nget=1\n\n":
        slow.sendall(bytes((byte,)))
    assert answers(slow, 2)[1]["fwmark"] == "7"

silent = [connect() for _ in range(20)]
lines = [b"set=1\nreplace_peers=true\n"]
size = peers = 0
while size < 5 << 20:
    peers += 1
    lines.append(b"public_key=%064x\npersistent_keepalive_interval=0\nallowed_ip=fd00::%x:%x/128\n"
                 % (peers, peers >> 16, peers & 0xFFFF))
    size += len(lines[-1])
with connect() as large:
    large.sendall(b"".join(lines) + b"\nget=1\n\n")
    done, shown = answers(large, 2)
    assert done["errno"] == "0" and shown["errno"] == "0", done
print(peers)
for connection in silent:
    connection.sendall(b"get=1\n\n")
    assert answers(connection, 1)[0]["errno"] == "0"

with connect() as endless:
    endless.sendall(b"set=1\nprivate_key=" + b"0" * 5000)
    assert answers(endless, 1)[0]["errno"] == "-22"
    assert endless.recv(1) == b""
PYTHON
(($(in_ns left wg show ours peers | wc -l) > 30000))
