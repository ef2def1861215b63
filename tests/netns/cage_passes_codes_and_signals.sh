#!/usr/bin/env bash
# The command's exit code is the cage's, also when a signal ends it; signals sent to the cage reach
# the command; Ctrl-C at a terminal reaches it once, and Ctrl-Z stops the whole job.
source "$(dirname "$0")/cage_lib.sh"
make_world

step "exit codes"
for code in 0 1 7 125 255; do expect "$code" cage bash -c "exit $code"; done
expect 143 cage bash -c 'kill -TERM $$'
expect 137 cage bash -c 'kill -KILL $$'
expect 127 cage no-such-program 2>"$dir/missing.txt"
grep -qx 'cage: no-such-program: No such file or directory' "$dir/missing.txt" || fail "says otherwise"
expect 126 cage "$own/tun0.conf" 2>"$dir/not-run.txt"
grep -q 'Permission denied' "$dir/not-run.txt" || fail "says otherwise"

step "input and output"
[[ $(printf 'words' | cage cat) == words ]] || fail "standard input is lost"
cage bash -c 'echo wrong >&2' 2>&1 >/dev/null | finds -x wrong || fail "standard error is lost"

step "signals"
for signal in TERM INT HUP QUIT USR1 USR2; do
  rm -f "$own/ready"
  start_cage -- bash -c "trap 'exit 33' $signal; touch $own/ready; sleep 1000 & wait"
  eventually test -e "$own/ready"
  kill -s "$signal" "$job"
  status=0
  wait "$job" || status=$?
  [[ $status == 33 ]] || fail "SIG$signal gave $status"
done

step "a terminal"
# An interactive shell, because only that has jobs.
cat >"$dir/terminal.py" <<'PYTHON'
import glob, os, pty, select, sys, time
seen = b""
def until(text):
    global seen
    while text not in seen:
        if not select.select([fd], [], [], 10)[0]:
            sys.exit("no %r in %r" % (text, seen))
        seen += os.read(fd, 1024)
    before, _, seen = seen.partition(text)
    return before
def running():
    """Of the job: what the terminal has told to stop, and has not got to it yet, still reads."""
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            state, _, _, session = open(path).read().rpartition(")")[2].split()[:4]
        except OSError:
            continue  # It has ended.
        if int(session) == pid and path != "/proc/%d/stat" % pid and state not in "TZ":
            return path
    return None
def until_stopped():
    end = time.monotonic() + 10
    while found := running():
        if time.monotonic() > end:
            sys.exit("%s runs on" % found)
        time.sleep(0.01)
cage = " ".join(sys.argv[2:])
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], [sys.argv[1], "--norc", "--noprofile", "--noediting", "-i"])
# What the terminal echoes must not look like what is printed.
script = "trap \"printf got%s -one\" INT; printf rea%s dy; read a; printf read%s -$a; read b; exit 5"
os.write(fd, (cage + " bash -c '" + script + "'; printf code%s -$?\n").encode())
until(b"ready")
os.write(fd, b"\x03")
until(b"got-one")
os.write(fd, b"x\n")
assert b"got-one" not in until(b"read-x")
os.write(fd, b"\x1a")
until(b"Stopped")
until(b"code-148")
until_stopped()
os.write(fd, b"fg; printf code%s -$?\n")
os.write(fd, b"y\n")
until(b"code-5")
PYTHON
in_ns host timeout 60 setpriv --reuid "$user" --regid "$user" --clear-groups \
  python3 "$dir/terminal.py" bash "$GINNEL" cage "$own/tun0.conf" --
