"""Fairness: what a peer at full speed costs another peer of the same daemon.

The busy and the quiet peer are in namespaces of their own, the hub in a third. Beside the hub runs
a second daemon that carries nothing but the quiet peer's other pings: what these lose under the same
load is the machine's doing, not the hub's.

What a ping takes differs from one second to the next, so a round does not measure one load after
the other: it goes through all of them several times, alone before each, and pools what it got.
"""
import json
import subprocess
import time

from ends import MTU, Daemon, in_namespace, join, ping_times, run
from results import percentile

CYCLES = 5
PINGS = 250  # Of one slice, after the first few, which find everything asleep.
FIRST = 10
INTERVAL = 0.002
LOADS = {"1 Gbit/s": ("-b", "1G"), "full speed": (), "reverse": ("-R",)}
SETTLE = 0.4  # Seconds from a connection to its full speed, and from its end to calm.
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
    """Microseconds of each ping of a slice."""
    times = ping_times(PLACES[QUIET], address, FIRST + PINGS, INTERVAL)[FIRST:]
    if len(times) < PINGS * 0.9:
        raise RuntimeError(f"fairness: {len(times)} of {PINGS} pings were answered")
    return times


class Load:
    """A TCP stream between the busy peer and the hub; `with` it one is under way."""

    def __init__(self, name, interface):
        self.arguments = LOADS[name]
        self.interface = interface

    def carried(self):
        """Bytes, both ways."""
        shown = run("ip", "-n", PLACES[BUSY], "-j", "-s", "link", "show", "dev", self.interface)
        counters = json.loads(shown)[0]["stats64"]
        return counters["rx"]["bytes"] + counters["tx"]["bytes"]

    def __enter__(self):
        for _ in range(10):
            self.process = subprocess.Popen(
                in_namespace(PLACES[BUSY], "iperf3", "-c", inner(HUB), "-t", "60",
                             *self.arguments),
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(SETTLE)
            if self.process.poll() is None:
                self.began, self.before = time.monotonic(), self.carried()
                return self
        raise RuntimeError("fairness: iperf3 does not start")  # Its server was still busy.

    def __exit__(self, *_):
        self.gbit = (self.carried() - self.before) * 8e-9 / (time.monotonic() - self.began)
        if self.process.poll() is not None:
            raise RuntimeError("fairness: iperf3 ended before the pings did")
        self.process.kill()
        self.process.wait()
        time.sleep(SETTLE)


def measure(address, aside, interface):
    """Every number of a round."""
    alone = []
    beside = {name: [] for name in LOADS}
    others = {name: [] for name in LOADS}
    carried = {name: [] for name in LOADS}
    for _ in range(CYCLES):
        for name in LOADS:
            alone += ping(address)
            with Load(name, interface) as load:
                beside[name] += ping(address)
                others[name] += ping(aside)
            carried[name].append(load.gbit)
    usual = percentile(alone, 0.99)
    values = {"alone p99 us": usual}
    for name in LOADS:
        shared = percentile(beside[name], 0.99)
        values |= {f"{name}, p99 us": shared,
                   f"{name}, other daemon p99 us": percentile(others[name], 0.99),
                   f"{name}, times alone": shared / usual,
                   f"{name}, carried Gbit/s": sum(carried[name]) / CYCLES}
    return values


def fairness(program):
    ends, spare = start(program)
    server = subprocess.Popen(in_namespace(PLACES[HUB], "iperf3", "-s"),
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for place, address in ((PLACES[BUSY], inner(HUB)), (PLACES[QUIET], inner(HUB)),
                           (PLACES[QUIET], spare)):
        await_answer(place, address)
    values = measure(inner(HUB), spare, ends[BUSY].interface)
    server.kill()
    server.wait()
    for end in ends.values():
        end.stop()
    for place in set(PLACES.values()):
        run("ip", "netns", "del", place)
    return values
