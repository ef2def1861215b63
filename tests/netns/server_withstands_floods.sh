#!/usr/bin/env bash
# Garbage and well-made handshakes from strangers hammer the port of `ginnel server` while a
# client's traffic goes on; another client connects through the flood, with the help of a cookie,
# and nothing grows without bound.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/server_lib.sh"

memory() { sed -n 's/^VmRSS:\s*\([0-9]*\) kB/\1/p' "/proc/$server_process/status"; }
drops() { of_server ".drops.$1 // 0"; }
has_dropped() { (($(drops "$1") >= $2)); }
# What the flood sends: noise of every length, and initiations whose mac1 is right for this server.
cat >"$dir/flood.py" <<'PYTHON'
import base64, hashlib, random, socket, struct, sys

server = base64.b64decode(sys.argv[1])
mac1_key = hashlib.blake2s(b"mac1----" + server).digest()
addresses = [(socket.AF_INET, ("192.0.2.1", 51820)), (socket.AF_INET6, ("2001:db8:5::1", 51820))]
sockets = [(socket.socket(family, socket.SOCK_DGRAM), to) for family, to in addresses]
chance = random.Random(1)


def initiation():
    body = struct.pack("<II", 1, chance.getrandbits(32)) + chance.randbytes(108)
    return body + hashlib.blake2s(body, key=mac1_key, digest_size=16).digest() + bytes(16)


def noise():
    kind = chance.choice([b"", bytes([chance.randrange(6)]) + bytes(3)])
    return kind + chance.randbytes(chance.randrange(1400))


while True:
    for one, to in sockets:
        try:
            one.sendto(chance.choice([initiation, noise])(), to)
        except OSError:
            pass  # The port is unreachable for a moment, or the queue is full.
PYTHON

step "a client with traffic"
server_topology
client_host stranger 1
client_host anna 2
ip -n stranger route add 2001:db8:5::/64 via 2001:db8:51::1
serve_echo internet
start_server
server_process=$(of_server .process)
manage peer add anna >"$dir/add.log"
start_client client first
eventually reaches client 203.0.113.1
echoes tcp client 203.0.113.1
ticks icmp client 2001:db8:f::1
goes_on tcp && goes_on icmp
before=$(memory)
lost=$(of_server '.drops | add')

step "the flood"
capture cookies stranger to-server 'udp src port 51820 and udp[4:2] == 72 and udp[8] == 3'
floods=()
for flood in 1 2; do
  run_daemon "flood$flood" stranger python3 "$dir/flood.py" "$(of_server .public_key)"
  floods+=("$daemon")
done
has_lost() { (($(of_server '.drops | add') - lost >= $1)); }
wait_for 30 has_lost 20000
goes_on tcp 10
goes_on icmp 10

step "another client connects through it"
start_client anna anna
wait_for 30 reaches anna 203.0.113.1
goes_on tcp && goes_on icmp

step "strangers got cookies, and cost no memory"
for flood in "${floods[@]}"; do running "$flood" || fail "the flood had ended"; done
(($(count cookies) > 0)) || fail "nobody was asked for a cookie"
(($(memory) < before + 16384)) || fail "memory grew from $before to $(memory) kB"
