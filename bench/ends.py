"""The programs that bench/run compares, in network namespaces: one end, or two with a tunnel."""
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PINGER = ROOT / "bench/pinger.py"
INNER = ("10.77.0.1", "10.77.0.2")
OUTER = ("192.0.2.1", "192.0.2.2")
MTU = 1420
CONGESTION = os.environ.get("GINNEL_BENCH_TCP", "cubic")
SECONDS = 3
WARM_UP = 1


def run(*command, check=True, timeout=60, **options):
    return subprocess.run(command, check=check, timeout=timeout, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options).stdout


def in_namespace(namespace, *command):
    return ("ip", "netns", "exec", namespace, *command)


def ping_times(namespace, address, count, interval):
    """Microseconds of each ping that was answered, sent by a program that sleeps in between."""
    return json.loads(run(*in_namespace(namespace, sys.executable, str(PINGER), address, str(count),
                                        str(interval))))


class Daemon:
    """One end of a tunnel: a userspace WireGuard in a namespace of its own."""

    def __init__(self, program, index, namespace=None):
        self.namespace = namespace or f"end{index}"
        self.interface = f"{program.name}{index}"
        self.index = index
        environment = dict(os.environ, **program.environment)
        self.process = subprocess.Popen(
            in_namespace(self.namespace, *program.command(self.interface)),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
        socket = pathlib.Path(f"/run/wireguard/{self.interface}.sock")
        deadline = time.monotonic() + 10
        while not socket.exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{program.name} did not start")
            time.sleep(0.01)
        self.private = run("wg", "genkey").strip()
        self.public = run("wg", "pubkey", input=self.private).strip()

    def path_of_configuration(self, text):
        path = pathlib.Path(f"/run/{self.interface}.conf")
        path.write_text(text)
        return str(path)

    def configure(self, other):
        text = (f"[Interface]\nPrivateKey = {self.private}\nListenPort = {51820 + self.index}\n"
                f"[Peer]\nPublicKey = {other.public}\nAllowedIPs = {INNER[other.index]}/32\n"
                f"Endpoint = {OUTER[other.index]}:{51820 + other.index}\n")
        run(*in_namespace(self.namespace, "wg", "setconf", self.interface,
                          self.path_of_configuration(text)))
        ip = ("ip", "-n", self.namespace)
        run(*ip, "addr", "add", f"{INNER[self.index]}/24", "dev", self.interface)
        run(*ip, "link", "set", self.interface, "mtu", str(MTU), "up")

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_mb(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Program:
    def __init__(self, name, command, environment=None):
        self.name = name
        self.command = command
        self.environment = environment or {}


def programs(names):
    ginnel = os.environ.get("GINNEL", str(ROOT / "build/bench/bin/ginnel"))
    known = {
        "ginnel": Program("ginnel", lambda i: (ginnel, "dev", i, "--foreground")),
        "wireguard-go": Program("wireguard-go", lambda i: ("wireguard-go", "-f", i),
                                {"LOG_LEVEL": "silent", "WG_PROCESS_FOREGROUND": "1"}),
    }
    for name in names:
        if name not in known:
            sys.exit(f"bench: no program \"{name}\"; take some of: {' '.join(known)}")
    return [known[name] for name in names]


def add_namespace(name):
    """It has the congestion control that Linux has by itself, whatever this machine was set to, or
    the one in GINNEL_BENCH_TCP."""
    run("ip", "netns", "add", name)
    run(*in_namespace(name, "tee", "/proc/sys/net/ipv4/tcp_congestion_control"), input=CONGESTION)
    run("ip", "-n", name, "link", "set", "lo", "up")


def join(first, second, network="192.0.2", link="veth"):
    """A veth pair between two namespaces, which are made if they are missing."""
    for name in (first, second):
        if not pathlib.Path(f"/run/netns/{name}").exists():
            add_namespace(name)
    run("ip", "link", "add", link, "netns", first, "type", "veth",
        "peer", "name", link, "netns", second)
    for host, name in enumerate((first, second)):
        run("ip", "-n", name, "addr", "add", f"{network}.{host + 1}/24", "dev", link)
        run("ip", "-n", name, "link", "set", link, "up")


class StreamLost(RuntimeError):
    """iperf3 waits for ever where the first datagram of a stream does not arrive."""


class Tunnel:
    """Two ends in namespaces that bear the program's name, so that those of several programs can
    stand at once."""

    def __init__(self, program):
        self.near, self.far = f"{program.name}0", f"{program.name}1"
        join(self.near, self.far)
        self.ends = [Daemon(program, 0, self.near), Daemon(program, 1, self.far)]
        self.ends[0].configure(self.ends[1])
        self.ends[1].configure(self.ends[0])
        self.server = subprocess.Popen(in_namespace(self.far, "iperf3", "-s"),
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while subprocess.run(in_namespace(self.near, "ping", "-c1", "-W1", INNER[1]),
                             stdout=subprocess.DEVNULL).returncode != 0:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{program.name}: no way through the tunnel")

    def cpu_seconds(self):
        return sum(end.cpu_seconds() for end in self.ends)

    def iperf(self, *arguments, seconds=SECONDS):
        command = in_namespace(self.near, "iperf3", "-c", INNER[1], "-J", "-t", str(seconds),
                               *arguments)
        for _ in range(10):
            try:
                output = run(*command, check=False, timeout=seconds + 10)
            except subprocess.TimeoutExpired:
                raise StreamLost(" ".join(command)) from None
            report = json.loads(output[output.index("{"):])  # Warnings may stand before it.
            if "error" not in report:
                return report["end"]
            time.sleep(0.3)  # The server is still busy with the end of the test before.
        raise RuntimeError(f"iperf3: {report['error']}")

    def close(self):
        self.server.kill()
        self.server.wait()
        for end in self.ends:
            end.stop()
        for name in (self.near, self.far):
            run("ip", "netns", "del", name)
