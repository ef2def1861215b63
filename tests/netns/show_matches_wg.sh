#!/usr/bin/env bash
# `ginnel show` prints what stock `wg show` prints, byte for byte: of wireguard-go, of `ginnel dev`,
# and of stand-ins that answer with everything a device may say. Its JSON has the same facts.
source "$(dirname "$0")/lib.sh"

# The two are run one after the other, and ages change with each second.
same() {
  "${env[@]}" wg show "$@" >"$dir/wanted" 2>/dev/null || true
  "${env[@]}" ginnel show "$@" >"$dir/shown" 2>/dev/null || true
  cmp "$dir/wanted" "$dir/shown"
}
same_conf() { cmp <(wg showconf "$1") <(ginnel showconf "$1"); }
fields=(public-key private-key listen-port fwmark peers preshared-keys endpoints allowed-ips
  latest-handshakes transfer persistent-keepalive dump)
all_same() {
  local interface field
  for interface in "$@"; do
    for env in "env" "env WG_COLOR_MODE=always" "env WG_HIDE_KEYS=never"; do
      read -ra env <<<"$env"
      eventually same "$interface"
    done
    env=(env)
    for field in "${fields[@]}"; do eventually same "$interface" "$field"; done
    [[ $interface == all ]] || eventually same_conf "$interface"
  done
  eventually same
  eventually same interfaces
}

step "with no interface at all"
env=(env)
same && same all && same interfaces && same all dump
[[ -z $(ginnel show) ]]

step "wireguard-go and ginnel dev, before and after a handshake"
link a 10.1.0.1/24,fd00:1::1/64 b 10.1.0.2/24,fd00:1::2/64
umask 077
for ns in a b; do wg genkey >"$dir/$ns.key"; done
wg genpsk >"$dir/psk"
in_ns a wireguard-go wg0 >"$dir/wireguard-go.log" 2>&1
in_ns b ginnel dev wg1
[[ $(wc -w <<<"$(ginnel show interfaces)") == 2 ]] || fail "both should be seen: $(ginnel show interfaces)"
all_same wg0 wg1 all
wg set wg0 private-key "$dir/a.key" listen-port 51820 fwmark 0xca6c
wg set wg1 private-key "$dir/b.key" listen-port 51821
wg set wg0 peer "$(wg pubkey <"$dir/b.key")" preshared-key "$dir/psk" endpoint '[fd00:1::2]:51821' \
  persistent-keepalive 25 allowed-ips 10.9.0.2/32,fd00:9::/64
wg set wg0 peer "$(wg genkey | wg pubkey)"
wg set wg1 peer "$(wg pubkey <"$dir/a.key")" preshared-key "$dir/psk" allowed-ips 0.0.0.0/0,::/0
all_same wg0 wg1 all
in_ns a ip addr add 10.9.0.1/24 dev wg0
in_ns a ip link set wg0 up
in_ns b ip addr add 10.9.0.2/24 dev wg1
in_ns b ip link set wg1 up
eventually reaches a 10.9.0.2
[[ $(wg show wg0 latest-handshakes) =~ [1-9] ]] || fail "no handshake"
all_same wg0 wg1 all

step "JSON says what the dump says"
cat >"$dir/compare.py" <<'END'
import json, subprocess, sys
document = json.loads(subprocess.check_output(["ginnel", "show", "--json"]))
assert document.pop("version") == 1
wanted = {}
for line in subprocess.check_output(["wg", "show", "all", "dump"], text=True).splitlines():
    interface, *rest = line.split("\t")
    if len(rest) == 4:
        private, public, port, mark = rest
        device = {"privateKey": private, "publicKey": public, "listenPort": int(port),
                  "fwmark": 0 if mark == "off" else int(mark, 16)}
        wanted[interface] = {k: v for k, v in device.items() if v not in ("(none)", 0)}
        wanted[interface]["peers"] = {}
        continue
    key, psk, endpoint, allowed, handshake, rx, tx, keepalive = rest
    peer = {"presharedKey": psk, "endpoint": endpoint, "latestHandshake": int(handshake),
            "transferRx": int(rx), "transferTx": int(tx),
            "persistentKeepalive": 0 if keepalive == "off" else int(keepalive),
            "allowedIps": "(none)" if allowed == "(none)" else allowed.split(",")}
    wanted[interface]["peers"][key] = {k: v for k, v in peer.items() if v not in ("(none)", 0)}
for device in document.values():
    device.pop("counters", None)
    for peer in device["peers"].values():
        peer.pop("counters", None)
if document != wanted:
    sys.exit(f"{document}\n!=\n{wanted}")
END
WG_HIDE_KEYS=never eventually python3 "$dir/compare.py"
[[ $(ginnel show wg0 --json) != *$(<"$dir/a.key")* ]] || fail "a private key in JSON"
[[ $(ginnel show wg0 --json) == *'"privateKey":"(hidden)"'* ]]
[[ $(ginnel show interfaces --json) == '{"version":1,"interfaces":['*'"wg0"'* ]]

step "devices that say unusual things"
cat >"$dir/stand_in.py" <<'END'
"""Answers on control sockets with devices made from a seed, and with two that refuse."""
import os, random, socket, sys, time
random.seed(int(sys.argv[1]))
def key():
    return random.randbytes(32).hex()
def endpoint():
    return random.choice(["192.0.2.1:51820", "[2001:db8::1]:65535", "[fe80::1%1]:1", "[fe80::2%99]:7"])
def peer():
    lines = [f"public_key={key()}"]
    lines += [f"preshared_key={random.choice([key(), '0' * 64])}", "protocol_version=1"]
    if random.random() < 0.7:
        lines.append(f"endpoint={endpoint()}")
    age = random.choice([0, 1, 59, 60, 61, 3599, 3600, 86399, 86400, 31536000, 99999999, -50])
    never = random.random() < 0.3
    lines.append(f"last_handshake_time_sec={0 if never else int(time.time()) - age}")
    lines.append(f"last_handshake_time_nsec={0 if never else random.randrange(10**9)}")
    for name in ("tx_bytes", "rx_bytes"):
        lines.append(f"{name}={random.choice([0, 1, random.randrange(1 << random.randrange(1, 64))])}")
    lines.append(f"persistent_keepalive_interval={random.choice([0, 0, 1, 25, 60, 65535])}")
    for _ in range(random.randrange(4)):
        lines.append("allowed_ip=" + random.choice(
            ["0.0.0.0/0", "::/0", f"10.{random.randrange(256)}.0.0/16", f"fd00:{random.randrange(9999)}::/64"]))
    lines += ["x_unknown=1"]
    return lines
def device():
    lines = [f"private_key={key()}"] if random.random() < 0.8 else []
    lines += [f"listen_port={random.randrange(1, 65536)}"] if random.random() < 0.8 else []
    lines += [f"fwmark={random.randrange(1, 1 << 32)}"] if random.random() < 0.5 else []
    for _ in range(random.choice([0, 1, 2, 30])):
        lines += peer()
    return "\n".join(lines + ["errno=0", "", ""])
answers = {f"s{i}": device() for i in range(8)}
answers["denied"] = "errno=1\n\n"
answers["negative"] = "errno=-1\n\n"
listeners = {}
for name, answer in answers.items():
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(f"/var/run/wireguard/{name}.sock")
    listener.listen(50)
    listeners[listener] = answer
import selectors
selector = selectors.DefaultSelector()
for listener in listeners:
    selector.register(listener, selectors.EVENT_READ)
while True:
    for ready, _ in selector.select():
        client, _ = ready.fileobj.accept()
        if client.recv(100) == b"get=1\n\n":
            client.sendall(listeners[ready.fileobj].encode())
        client.close()
END
python3 "$dir/stand_in.py" 5 &
eventually test -S /var/run/wireguard/negative.sock
eventually ginnel show s7
all_same s0 s1 s2 s3 s4 s5 s6 s7 all

step "what cannot be shown is an error, and the others are shown"
ginnel show >"$dir/out" 2>"$dir/err" && fail "denied should not look like success"
grep -q '^show: interface denied: operation not permitted$' "$dir/err"
grep -q '^show: interface negative: operation not permitted$' "$dir/err"
grep -q '^interface: s7$' "$dir/out"
status=0
ginnel show nothere 2>"$dir/err" || status=$?
[[ $status == 1 ]] && grep -q '^show: interface nothere does not exist' "$dir/err"
for wrong in ../x '' 0123456789abcdef; do
  status=0
  ginnel show "$wrong" dump >"$dir/out" 2>"$dir/err" || status=$?
  [[ $status == [12] && ! -s $dir/out && $(wc -l <"$dir/err") == 1 ]] || fail "\"$wrong\": $status"
done
for wrong in "wg0 nope" "interfaces dump" "wg0 dump --json" "wg0 dump x"; do
  status=0
  # shellcheck disable=SC2086
  ginnel show $wrong 2>/dev/null || status=$?
  [[ $status == 2 ]] || fail "$wrong: exit $status"
done

step "a silent socket runs into the timeout, a dead one is nobody, and without interface nothing"
python3 -c 'import socket, time
s = socket.socket(socket.AF_UNIX); s.bind("/var/run/wireguard/silent.sock"); s.listen(); time.sleep(100)' &
eventually test -S /var/run/wireguard/silent.sock
shows_with() { # STATUS FLAGS...
  local status=0
  ginnel show silent "${@:2}" 2>"$dir/said" || status=$?
  [[ $status == "$1" ]]
}
eventually shows_with 5 --timeout 1
kill -9 $!
eventually shows_with 1
grep -q 'interface silent does not exist' "$dir/said"
ip link add silent type veth peer name other
eventually shows_with 4
[[ " $(ginnel show interfaces) " != *" silent "* ]] || fail "a dead socket is not an interface"
