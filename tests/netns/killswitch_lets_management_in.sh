#!/usr/bin/env bash
# Connections from the management prefix come in and are answered; nobody else's do, and nothing of
# our own goes there. A connection that lived before the lock goes on.
source "$(dirname "$0")/killswitch_lib.sh"
make_network
ip -n world addr add 192.0.2.9/24 dev to-host
ip -n world addr add 2001:db8::9/64 dev to-host
in_ns host python3 -m http.server 8022 --bind :: --directory "$dir" >"$dir/http.log" 2>&1 &
fetch() { in_ns world curl -s -o /dev/null --max-time 2 --interface "$1" "$2"; }
eventually fetch 192.0.2.9 http://192.0.2.2:8022/
eventually fetch 192.0.2.1 http://192.0.2.2:8022/
eventually fetch 2001:db8::9 'http://[2001:db8::2]:8022/'

step "a live connection, from before"
in_ns host nft 'add table ip track; add chain ip track in { type filter hook input priority 0; }; add rule ip track in ct state new counter'
mkfifo "$dir/talk"
in_ns host socat TCP-LISTEN:8023,reuseaddr EXEC:cat 2>"$dir/echo.log" &
eventually in_ns host sh -c 'ss -ltn | grep -q :8023'
in_ns world socat - TCP:192.0.2.2:8023,bind=192.0.2.9 <"$dir/talk" >"$dir/heard" 2>"$dir/socat.log" &
exec 7>"$dir/talk"
echo before >&7
eventually grep -q before "$dir/heard"

killswitch on --manage 192.0.2.9/32 --manage 2001:db8::9/128
armed
grep -q 'management: 192.0.2.9/32' "$dir/status"

step "who may"
fetch 192.0.2.9 http://192.0.2.2:8022/
fetch 2001:db8::9 'http://[2001:db8::2]:8022/'
echo after >&7
eventually grep -q after "$dir/heard"

step "who may not"
refute fetch 192.0.2.1 http://192.0.2.2:8022/
refute fetch 2001:db8::1 'http://[2001:db8::2]:8022/'

step "and nothing starts towards it"
capture outward world to-host
in_ns world python3 -m http.server 8044 --bind :: --directory "$dir" >"$dir/far.log" 2>&1 &
eventually in_ns world curl -s -o /dev/null --max-time 2 http://192.0.2.9:8044/
refute in_ns host curl -s --max-time 2 http://192.0.2.9:8044/
refute in_ns host curl -s --max-time 2 'http://[2001:db8::9]:8044/'
refute reaches host 192.0.2.9
marker outward
[[ $(count outward 'tcp and dst port 8044 and src host 192.0.2.2') == 0 ]]
killswitch off
