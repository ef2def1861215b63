#!/usr/bin/env bash
# The unit's process locks what is on disk before there is a network, leaves the owning descriptor
# with systemd, and gets it back after it was killed together with the guardian and a flush. Other
# commands leave it alone.
source "$(dirname "$0")/killswitch_lib.sh"
make_network
make_tunnel

step "as after a reboot: a record on disk, and nothing else"
killswitch on wg0
armed
hash=$(grep ruleset: "$dir/status")
kill -9 "$(watcher)" "$(guardian)"
in_ns host nft flush ruleset
for family in -4 -6; do
  in_ns host ip "$family" route flush table 1000
  for pref in 10 11; do in_ns host ip "$family" rule del pref "$pref"; done
done
rm -rf /run/ginnel/net-*

cat >"$dir/systemd.py" <<'SYSTEMD'
# Stands in for systemd: keeps the descriptors that a service leaves, and gives them to its next
# process.
import os, socket, sys
path, program = sys.argv[1], sys.argv[2:]
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.bind(path)
notify.settimeout(0.2)
os.environ["NOTIFY_SOCKET"] = path
kept = []
for life in range(2):
    pid = os.fork()
    if pid == 0:
        if kept:
            for number, fd in enumerate(kept):
                os.dup2(fd, 3 + number, inheritable=True)
            os.environ["LISTEN_PID"] = str(os.getpid())
            os.environ["LISTEN_FDS"] = str(len(kept))
            os.environ["LISTEN_FDNAMES"] = ":".join(["killswitch"] * len(kept))
        os.execv(program[0], program)
    while os.waitpid(pid, os.WNOHANG)[0] == 0:
        try:
            text, fds, _, _ = socket.recv_fds(notify, 4096, 4)
        except socket.timeout:
            continue
        if fds:
            kept = fds
            print("stored", text.decode().replace("\n", " "), flush=True)
        elif text == b"READY=1":
            print("ready", life, pid, flush=True)
    print("ended", life, flush=True)
SYSTEMD
run_daemon systemd host python3 "$dir/systemd.py" "$dir/notify" "$GINNEL" killswitch watch
eventually grep -q '^ready 0' "$dir/systemd.log"
eventually grep -q '^stored FDSTORE=1 FDNAME=killswitch' "$dir/systemd.log"
armed
[[ $(grep ruleset: "$dir/status") == "$hash" ]] || fail "not the same ruleset"

step "nobody who clears away what dead processes left takes it for that"
in_ns host ip link del wg0 # Its own record went with /run.
run_daemon server host "$GINNEL" server
server=$daemon
eventually grep -q ' ready ' "$dir/server.log"
armed
stop "$server"
armed

step "killed, with the guardian, and flushed: the descriptor that systemd has keeps the tables"
first=$(sed -n 's/^ready 0 //p' "$dir/systemd.log")
kill -9 "$(guardian)" "$first"
in_ns host nft flush ruleset || true
in_ns host nft list table inet ginnel-lock-host >/dev/null
eventually grep -q '^ready 1' "$dir/systemd.log"
eventually armed
refute in_ns host nft delete table inet ginnel-lock-host
killswitch off
eventually grep -q '^ended 1' "$dir/systemd.log"
