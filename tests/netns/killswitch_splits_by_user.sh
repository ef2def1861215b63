#!/usr/bin/env bash
# A user's programs go beside the tunnel: they reach the internet directly, with and without it, and
# are answered. Their DNS stays in the tunnel. Nobody else goes where they go, also not from a port
# that was theirs; and when the exception goes, their live connections end.
source "$(dirname "$0")/killswitch_lib.sh"
make_network
make_tunnel
eventually through_tunnel
in_ns world python3 "$tests/netns/beside.py" serve >"$dir/beside.log" 2>&1 &
chmod 755 "$dir"
as() { # UID CMD...
  local user=$1
  shift
  in_ns host setpriv --reuid "$user" --regid "$user" --clear-groups "$@"
}
ask() { as "$1" python3 "$tests/netns/beside.py" ask "${@:2}" 2>/dev/null; }
# way WANTED UID PROTOCOL ADDRESS PORT [OPTIONS]: the address that the far end sees.
way() {
  local seen
  seen=$(ask "${@:2}") || seen=nobody
  [[ $seen == "$1" ]] || { echo "${*:2}: seen as $seen, not $1" >&2; return 1; }
}

killswitch on wg0 --split-uid 1000
armed
eventually way 10.9.0.2 1001 tcp 198.51.100.1 90

step "the user's programs go beside the tunnel, others' do not"
for protocol in "tcp 198.51.100.1 90" "udp 198.51.100.1 91"; do
  # shellcheck disable=SC2086  # Three arguments.
  way 192.0.2.2 1000 $protocol
  # shellcheck disable=SC2086
  way 10.9.0.2 1001 $protocol
done
way 2001:db8::2 1000 tcp 2001:db8:9::1 90
way 2001:db8::2 1000 udp 2001:db8:9::1 91
way fd09::2 1001 udp 2001:db8:9::1 91
way 192.0.2.2 1000 tcp 198.51.100.1 90 --device to-world

step "their names are asked for in the tunnel, and nowhere else"
way 10.9.0.2 1000 udp 10.9.0.1 53
way nobody 1000 udp 198.51.100.1 53
way nobody 1000 udp 198.51.100.1 53 --device to-world

step "what is counted"
killswitch status --json >"$dir/status.json"
python3 - "$dir/status.json" <<'CHECK'
import json, sys
(program,) = json.load(open(sys.argv[1]))["split"]
assert program["program"] == "uid 1000" and program["present"], program
assert program["sent_bytes"] > 300 and program["received_bytes"] > 200, program
CHECK
armed
finds 'beside the tunnel: uid 1000: [0-9]* bytes sent' <"$dir/status"

step "a port that was theirs is nobody's"
capture port world to-host
way 192.0.2.2 1000 udp 198.51.100.1 91 --from 5091
way nobody 1001 udp 198.51.100.1 91 --from 5091 --device to-world
through_tunnel
marker port
[[ $(count port 'src host 192.0.2.2 and udp port 91') == 1 ]]
[[ $(count port 'src host 192.0.2.2 and udp port 53') == 0 ]]

step "without the exception, their live connections end"
mkdir -m 777 "$dir/talk"
as 1000 python3 "$tests/netns/beside.py" talk 198.51.100.1 "$dir/talk" >"$dir/talk.log" 2>&1 &
eventually grep -q 192.0.2.2 "$dir/talk/heard"
moves_into_tunnel
way 10.9.0.2 1000 udp 198.51.100.1 91

step "with their DNS, when that is wanted"
killswitch on wg0 --split-uid 1000 --split-dns
way 192.0.2.2 1000 udp 198.51.100.1 53
way 10.9.0.2 1000 udp 10.9.0.1 53
way nobody 1001 udp 198.51.100.1 53

step "the tunnel goes: they stay outside, and everybody else in"
in_ns host ip link del wg0
eventually armed
way 192.0.2.2 1000 tcp 198.51.100.1 90
way nobody 1001 tcp 198.51.100.1 90
killswitch on --split-uid 1000
armed
way 192.0.2.2 1000 tcp 198.51.100.1 90
way nobody 1001 tcp 198.51.100.1 90

step "what cannot be meant"
for wrong in "--split-uid 0" "--split-uid root" "--split-cgroup /" "--split-cgroup a/../b" --split-dns; do
  # shellcheck disable=SC2086  # A flag and its value.
  refute killswitch on wg0 $wrong
done
killswitch off
nothing_stands
