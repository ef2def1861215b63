"""Handshakes: what one costs the daemon that answers it, and what a flood leaves of them."""
import json
import os
import subprocess
import time

from ends import OUTER, ROOT, Daemon, StreamLost, in_namespace, join, run

COUNT = 3000  # Distinct initiators.
SOURCES, RATE = 10, 16  # A limiter of 20 a second lets these pass.
FLOOD_RATE = 200_000  # Initiations a second: as many as a core can send.
FLOOD_SECONDS = 5
FLOOD_NETWORK, GOOD_NETWORK = "198.18.0.0", "198.19.0.0"
CARRIED_MBIT = 200
ATTEMPTS = 3


def program():
    return os.environ.get("GINNEL_HANDSHAKES", str(ROOT / "build/bench/bin/bench_handshakes"))


def load(*arguments, namespace):
    """Starts the load generator; finish() tells what it found."""
    return subprocess.Popen(in_namespace(namespace, program(), *map(str, arguments)),
                            stdout=subprocess.PIPE, text=True)


def finish(process):
    output = process.communicate(timeout=120)[0]
    if process.returncode != 0:
        raise RuntimeError(f"handshakes: exit code {process.returncode}")
    return json.loads(output)


def peers():
    """A section for each of the load generator's keys."""
    keys = run(program(), "keys", str(COUNT)).split()
    return "".join(f"[Peer]\nPublicKey = {key}\nAllowedIPs = 10.128.{i >> 8}.{i & 255}/32\n"
                   for i, key in enumerate(keys))


def answered(program_of_end):
    """CPU time for each handshake answered, from the second of every initiator on."""
    join("end0", "end1")
    end = Daemon(program_of_end, 1)
    text = f"[Interface]\nPrivateKey = {end.private}\nListenPort = 51821\n{peers()}"
    run(*in_namespace("end1", "wg", "setconf", end.interface, end.path_of_configuration(text)))
    run("ip", "-n", "end1", "link", "set", end.interface, "up")
    found = finish(load("answer", f"{OUTER[1]}:51821", end.public, COUNT, end.process.pid,
                        namespace="end0"))
    end.stop()
    for name in ("end0", "end1"):
        run("ip", "netns", "del", name)
    return {"CPU us each": found["cpu_us"], "answers/s": found["per_second"]}


def delivered_mbit(tunnel):
    """Of a stream of datagrams through the tunnel, at a rate that it carries without effort."""
    end = tunnel.iperf("-u", "-b", f"{CARRIED_MBIT}M", "-l", "1200", seconds=FLOOD_SECONDS - 2)
    return end["sum_received"]["bytes"] * 8 / end["sum_received"]["seconds"] / 1e6


def receiver(tunnel):
    return f"{OUTER[1]}:51821", tunnel.ends[1].public


def measure(tunnel):
    """What the well-behaved sources get answered, and what the tunnel carries meanwhile."""
    handshakes = load("pace", *receiver(tunnel), COUNT, GOOD_NETWORK, SOURCES, RATE,
                      FLOOD_SECONDS - 2, namespace=tunnel.near)
    carried = delivered_mbit(tunnel)
    return finish(handshakes), carried


def flood(tunnel):
    """What well-behaved sources and a tunnel keep while others send rubbish from everywhere."""
    for _ in range(ATTEMPTS):
        try:
            return flood_once(tunnel)
        except StreamLost:
            continue
    raise RuntimeError("flood: no stream begins")


def flood_once(tunnel):
    target = tunnel.ends[1]
    run(*in_namespace(tunnel.far, "wg", "addconf", target.interface,
                      target.path_of_configuration(peers())))
    # Every address of these networks is the near end's, so that it can send from all of them.
    for network in (FLOOD_NETWORK, GOOD_NETWORK):
        run("ip", "-n", tunnel.near, "route", "add", "local", f"{network}/16", "dev", "lo")
        run("ip", "-n", tunnel.far, "route", "add", f"{network}/16", "via", OUTER[0])
    to = receiver(tunnel)
    try:
        alone, carried_alone = measure(tunnel)
        before = target.cpu_seconds()
        rubbish = load("flood", *to, FLOOD_NETWORK, FLOOD_RATE, FLOOD_SECONDS,
                       namespace=tunnel.near)
        # It comes before the others and ends after them.
        time.sleep(1)
        flooded, carried = measure(tunnel)
        sent = finish(rubbish)["sent"]
        spent = target.cpu_seconds() - before
    finally:
        for name, networks in ((tunnel.near, (f"local {FLOOD_NETWORK}", f"local {GOOD_NETWORK}")),
                               (tunnel.far, (FLOOD_NETWORK, GOOD_NETWORK))):
            for network in networks:
                run("ip", "-n", name, "route", "del", *f"{network}/16".split())
    return {"of handshakes kept": flooded["answered"] / max(alone["answered"], 1),
            "of datagrams kept": carried / carried_alone,
            "kpps of flood": sent / FLOOD_SECONDS / 1e3,
            "daemon CPU %": spent / FLOOD_SECONDS * 100,
            "p50 us": flooded["p50_us"]}
