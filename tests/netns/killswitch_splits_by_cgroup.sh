#!/usr/bin/env bash
# What runs in a cgroup, or below it, goes beside the tunnel from an address that is not the tunnel's;
# what runs above it does not. A group that is made later, or again, is found.
source "$(dirname "$0")/killswitch_lib.sh"
mkdir "$dir/cgroup"
mount -t cgroup2 none "$dir/cgroup" || fail "cgroup v2 cannot be mounted"
group=$(mktemp -d "$dir/cgroup/ginnel-test.XXXXXX")
trap 'report; find "$group" -depth -type d -exec rmdir {} + 2>/dev/null' EXIT
path=${group#"$dir/cgroup/"}/service
make_network
make_tunnel
eventually through_tunnel
in_ns world python3 "$tests/netns/beside.py" serve >"$dir/beside.log" 2>&1 &
# within GROUP CMD...
within() {
  local where=$1
  shift
  # shellcheck disable=SC2016  # They are its own.
  in_ns host bash -c 'echo 0 >"$1/cgroup.procs"; exec "${@:2}"' - "$where" "$@"
}
ask() { within "$1" python3 "$tests/netns/beside.py" ask "${@:2}" 2>/dev/null; }
# way WANTED GROUP PROTOCOL ADDRESS PORT [OPTIONS]: the address that the far end sees.
way() {
  local seen
  seen=$(ask "${@:2}") || seen=nobody
  [[ $seen == "$1" ]] || { echo "${*:2}: seen as $seen, not $1" >&2; return 1; }
}

step "a group that is not there excepts nobody"
killswitch on wg0 --split-cgroup "$path"
armed
finds "beside the tunnel: cgroup $path (does not exist now)" <"$dir/status"
eventually way 10.9.0.2 "$group" tcp 198.51.100.1 90

step "once it is there, what runs in it goes beside the tunnel"
mkdir -p "$group/service/below"
eventually way 192.0.2.2 "$group/service" tcp 198.51.100.1 90
armed
way 192.0.2.2 "$group/service" udp 198.51.100.1 91
way 192.0.2.2 "$group/service/below" tcp 198.51.100.1 90
way 2001:db8::2 "$group/service" tcp 2001:db8:9::1 90
way 2001:db8::2 "$group/service" udp 2001:db8:9::1 91
way 10.9.0.2 "$group" tcp 198.51.100.1 90
way 10.9.0.2 "$group" udp 198.51.100.1 91
way fd09::2 "$group" udp 2001:db8:9::1 91
way 10.9.0.2 "$group/service" udp 10.9.0.1 53
way nobody "$group/service" udp 198.51.100.1 53

step "without a tunnel it finds no way, which is said"
killswitch on --split-cgroup "$path"
armed
finds "beside the tunnel: cgroup $path (finds no way while the tunnel is down)" <"$dir/status"
way nobody "$group/service" udp 198.51.100.1 91
killswitch on wg0 --split-cgroup "$path"
eventually way 192.0.2.2 "$group/service" udp 198.51.100.1 91
armed
refute grep 'finds no way' "$dir/status"

step "made again, it is another group of the same name"
rmdir "$group/service/below" "$group/service"
mkdir "$group/service"
eventually way 192.0.2.2 "$group/service" tcp 198.51.100.1 90
eventually armed
killswitch status --json >"$dir/status.json"
python3 - "$dir/status.json" "$path" <<'CHECK'
import json, sys
(program,) = json.load(open(sys.argv[1]))["split"]
assert program["program"] == "cgroup " + sys.argv[2] and program["present"], program
assert program["sent_bytes"] > 100 and program["received_bytes"] > 50, program
CHECK

step "without the exception, its live connections end"
mkdir "$dir/talk"
within "$group/service" python3 "$tests/netns/beside.py" talk 198.51.100.1 "$dir/talk" >"$dir/talk.log" 2>&1 &
talker=$!
eventually grep -q 192.0.2.2 "$dir/talk/heard"
moves_into_tunnel
touch "$dir/talk/stop"
wait "$talker"
killswitch off
nothing_stands
