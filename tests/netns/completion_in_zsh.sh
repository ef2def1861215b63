#!/usr/bin/env bash
# In a real, interactive zsh, the tab key completes verbs, flags and values.
source "$(dirname "$0")/lib.sh"

ginnel completion zsh >"$dir/_ginnel"
python3 - "$dir" <<'PYTHON'
import os, pty, select, sys, time

folder = sys.argv[1]
child, terminal = pty.fork()
if child == 0:
    os.environ.update(TERM="dumb", HOME=folder, ZDOTDIR=folder)
    os.execvp("zsh", ["zsh", "-f", "-i"])

seen = ""


def wait_for(text: str) -> None:
    """Reads what the shell writes until `text` is in it."""
    global seen
    end = time.monotonic() + 20
    while text not in seen:
        if time.monotonic() > end or not select.select([terminal], [], [], 20)[0]:
            sys.exit(f"FAIL: zsh does not say {text!r} but {seen!r}")
        seen += os.read(terminal, 4096).decode()
    seen = seen.partition(text)[2]


def type_line(line: str) -> None:
    os.write(terminal, line.encode() + b"\n")


type_line("PS1='ready''> '; fpath=(~ $fpath); autoload -Uz compinit; compinit -u -D; "
          "ginnel() { print -r -- \"ran <$*>\" }")
wait_for("ready> ")
for typed, completed in [
    ("ginnel genk\t", "genkey"),
    ("ginnel versi\t", "version"),
    ("ginnel version --js\t", "version --json"),
    ("ginnel completion fi\t", "completion fish"),
    ("ginnel completion --he\t", "completion --help"),
    ("ginnel xyz\t", "xyz"),
]:
    type_line(typed)
    wait_for(f"ran <{completed}>")
    wait_for("ready> ")
PYTHON
