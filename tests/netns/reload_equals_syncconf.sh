#!/usr/bin/env bash
# Whatever stock `wg setconf`, `addconf` and `syncconf` make of a file on `ginnel dev`, they make of it
# on wireguard-go; and `ginnel reload` makes of it what `wg syncconf` does. Files at random, one after
# the other on the same devices, so that what differs is every kind of difference.
source "$(dirname "$0")/up_lib.sh"
namespace go ours synced reloaded
rounds=150
[[ -z ${GINNEL_TEST_ALL:-} ]] || rounds=1000
in_ns go wireguard-go go0 >"$dir/wireguard-go.log" 2>&1
in_ns ours ginnel-dev gin0
in_ns synced ginnel-dev sync0
cat >"$dir/rounds.py" <<'END'
import base64, os, random, subprocess, sys

rng = random.Random(20261121)
keys = [base64.b64encode(rng.randbytes(32)).decode() for _ in range(6)]

def maybe(chance, text):
    return [text] if rng.random() < chance else []

def section(key, prefixes, whole):
    lines = ["[Peer]", f"PublicKey = {key}"]
    # A preshared key or a keepalive that the file does not name, syncconf leaves as it is, and reload
    # takes away.
    psk = rng.choice([rng.randbytes(32), bytes(32)])
    lines += maybe(1 if whole else 0.6, f"PresharedKey = {base64.b64encode(psk).decode()}")
    lines += maybe(0.5, rng.choice([f"Endpoint = 192.0.2.{rng.randrange(1, 9)}:{rng.randrange(1, 65536)}",
                                    f"Endpoint = [2001:db8::{rng.randrange(1, 9)}]:{rng.randrange(1, 65536)}"]))
    lines += maybe(1 if whole else 0.4, f"PersistentKeepalive = {rng.choice(['off', 0, 1, 25, 65535])}")
    for line in range(rng.randrange(0, 3)):
        taken = [prefixes.pop() for _ in range(min(rng.randrange(1, 4), len(prefixes)))]
        if taken:
            lines.append("AllowedIPs = " + ", ".join(taken))
    return lines

def file(whole):
    """A file as wg reads it; of `whole` ones it names what syncconf would otherwise reset."""
    prefixes = [f"10.{i}.0.{rng.randrange(2)}/{rng.choice([8 + i, 24, 32])}" for i in range(8)]
    prefixes += [f"fd00:{i:x}::{rng.randrange(2)}/{rng.choice([32, 64, 128])}" for i in range(8)]
    rng.shuffle(prefixes)
    lines = ["[Interface]"]
    lines += maybe(1 if whole else 0.8, f"PrivateKey = {rng.choice(secrets)}")
    lines += maybe(1 if whole else 0.5, f"ListenPort = {rng.choice([40001, 40002, 40003])}")
    lines += maybe(0.5, f"FwMark = {rng.choice(['off', 7, '0xca6c'])}")
    for key in rng.sample(keys, rng.randrange(1 if whole else 0, len(keys) + 1)):
        lines += section(key, prefixes, whole)
    return "\n".join(lines) + "\n"


def secret():
    """Clamped, as wireguard-go shows it; ginnel shows what it was given."""
    key = bytearray(rng.randbytes(32))
    key[0] &= 248
    key[31] = key[31] & 127 | 64
    return base64.b64encode(key).decode()

secrets = [secret(), secret()]

def run(namespace, *words):
    done = subprocess.run(["ip", "netns", "exec", namespace, *words], capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr

def dump(namespace, device, port):
    status, text, error = run(namespace, "wg", "show", device, "dump")
    assert status == 0, error
    device_line, *peers = [line.split("\t") for line in text.splitlines()]
    if not port:
        device_line[2] = "any"
    rows = sorted((p[0], p[1], p[2], ",".join(sorted(p[3].split(","))), p[7]) for p in peers)
    return device_line, rows

def compare(what, text, one, other):
    if one != other:
        sys.exit(f"FAIL: {what} of\n{text}\nmakes\n{one}\nof the one and\n{other}\nof the other")

path = sys.argv[2]
for number in range(int(sys.argv[1])):
    for verb in ("setconf", "addconf", "syncconf"):
        text = file(whole=False)
        open(path, "w").write(text)
        results = [run(ns, "wg", verb, device, path) for ns, device in (("go", "go0"), ("ours", "gin0"))]
        assert results[0][0] == results[1][0] == 0, (text, results)
        named = "ListenPort" in text
        compare(f"round {number}: {verb}", text, dump("go", "go0", named), dump("ours", "gin0", named))

    text = file(whole=True)
    open(path, "w").write(text)
    status, _, error = run("synced", "wg", "syncconf", "sync0", path)
    assert status == 0, error
    open(path, "w").write(text.replace("[Interface]", "[Interface]\nTable = off"))
    verb = "up" if number == 0 else "reload"
    status, _, error = run("reloaded", os.environ["GINNEL"], verb, path)
    assert status == 0, (text, error)
    compare(f"round {number}: reload", text, dump("synced", "sync0", True), dump("reloaded", "c", True))
END
step "$rounds rounds"
mkdir "$dir/files"
chmod 700 "$dir/files"
python3 "$dir/rounds.py" "$rounds" "$dir/files/c.conf"
