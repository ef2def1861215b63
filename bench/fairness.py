"""Fairness: what a peer at full speed costs another peer of the same daemon.

The busy and the quiet peer are in namespaces of their own, the hub in a third. Beside the hub runs
a second daemon that carries nothing but the quiet peer's other pings: what these lose under the same
load is the machine's doing, not the hub's.
"""
import re
import subprocess
import time

from ends import MTU, Daemon, in_namespace, join, run

PINGS = 1000
BUSY, HUB, QUIET, SPARE = range(4)  # Indices of daemons, and of their addresses.
PORT = 51820
PLACES = {BUSY: "end0", HUB: "end1", QUIET: "end2", SPARE: "end1"}


def inner(index, network="10.77.0"):
    return f"{network}.{index + 1}"


def section(peer, address, endpoint=None):
    text = f"[Peer]\nPublicKey = {peer.public}\nAllowedIPs = {address}/32\n"
    return text + (f"Endpoint = {endpoint}\n" if endpoint else "")


def configure(end, addresses, *sections):
    text = f"[Interface]\nPrivateKey = {end.private}\nListenPort = {PORT + end.index}\n"
    run(*in_namespace(end.namespace, "wg", "setconf", end.interface,
                      end.path_of_configuration(text + "".join(sections))))
    ip = ("ip", "-n", end.namespace)
    for address in addresses:
        run(*ip, "addr", "add", f"{address}/24", "dev", end.interface)
    run(*ip, "link", "set", end.interface, "mtu", str(MTU), "up")


def start(program):
    join("end0", "end1", "192.0.2", "veth0")
    join("end2", "end1", "192.0.3", "veth2")
    ends = {index: Daemon(program, index, place) for index, place in PLACES.items()}
    aside = "10.78.0"
    configure(ends[HUB], [inner(HUB)], section(ends[BUSY], inner(BUSY)),
              section(ends[QUIET], inner(QUIET)))
    configure(ends[SPARE], [inner(SPARE, aside)], section(ends[QUIET], inner(QUIET, aside)))
    configure(ends[BUSY], [inner(BUSY)],
              section(ends[HUB], inner(HUB), f"192.0.2.2:{PORT + HUB}"))
    configure(ends[QUIET], [inner(QUIET), inner(QUIET, aside)],
              section(ends[HUB], inner(HUB), f"192.0.3.2:{PORT + HUB}"),
              section(ends[SPARE], inner(SPARE, aside), f"192.0.3.2:{PORT + SPARE}"))
    return ends, inner(SPARE, aside)


def await_answer(place, address):
    deadline = time.monotonic() + 10
    while subprocess.run(in_namespace(place, "ping", "-c1", "-W1", address),
                         stdout=subprocess.DEVNULL).returncode != 0:
        if time.monotonic() > deadline:
            raise RuntimeError(f"fairness: no way to {address}")


def ping(address):
    """The 99th percentile."""
    output = run(*in_namespace(PLACES[QUIET], "ping", "-n", "-c", str(PINGS), "-i", "0.003",
                               address), check=False)
    times = sorted(float(t) * 1000 for t in re.findall(r"time=([\d.]+)", output))
    if len(times) < PINGS * 0.9:
        raise RuntimeError(f"fairness: {len(times)} of {PINGS} pings were answered")
    return times[int(len(times) * 0.99)]


def fairness(program):
    ends, spare = start(program)
    server = subprocess.Popen(in_namespace(PLACES[HUB], "iperf3", "-s"),
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for place, address in ((PLACES[BUSY], inner(HUB)), (PLACES[QUIET], inner(HUB)),
                           (PLACES[QUIET], spare)):
        await_answer(place, address)
    alone = ping(inner(HUB))
    values = {"alone p99 us": alone}
    for name, rate in (("1 Gbit/s", ("-b", "1G")), ("full speed", ()), ("reverse", ("-R",))):
        busy = subprocess.Popen(in_namespace(PLACES[BUSY], "iperf3", "-c", inner(HUB), "-t", "60",
                                             *rate), stdout=subprocess.DEVNULL)
        time.sleep(1)
        shared, aside = ping(inner(HUB)), ping(spare)
        busy.kill()
        busy.wait()
        time.sleep(1)
        values |= {f"{name}, p99 us": shared, f"{name}, other daemon p99 us": aside,
                   f"{name}, times alone": shared / alone}
    server.kill()
    server.wait()
    for end in ends.values():
        end.stop()
    for place in set(PLACES.values()):
        run("ip", "netns", "del", place)
    return values
