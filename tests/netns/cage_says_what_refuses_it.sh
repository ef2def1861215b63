#!/usr/bin/env bash
# Where namespaces are refused the message names the setting that does it; wrong input is refused
# before anything is made, and commands in the file are not run.
source "$(dirname "$0")/cage_lib.sh"
make_world

step "no namespaces"
# In a user namespace of its own the limit can be set without the host's noticing.
expect 3 as_user unshare --user --map-root-user bash -c "
  echo 0 >/proc/sys/user/max_user_namespaces
  exec '$GINNEL' cage '$own/tun0.conf' -- true" 2>"$dir/refused.txt"
grep -q 'user.max_user_namespaces = 0; as root: sysctl -w user.max_user_namespaces=' \
  "$dir/refused.txt" || fail "says $(cat "$dir/refused.txt")"

step "wrong input"
expect 2 cage_with 2>"$dir/none.txt"
grep -q 'ginnel cage' "$dir/none.txt" || fail "says $(cat "$dir/none.txt")"
expect 1 as_user "$GINNEL" cage "$own/none.conf" -- true 2>"$dir/missing.txt"
grep -q 'none.conf: there is no such file' "$dir/missing.txt" || fail "$(cat "$dir/missing.txt")"
conf wrong 192.0.2.1 </dev/null
expect 2 as_user "$GINNEL" cage "$own/wrong.conf" -- true 2>"$dir/wrong.txt"
grep -q 'wrong.conf:.*Endpoint' "$dir/wrong.txt" || fail "$(cat "$dir/wrong.txt")"

conf keyless </dev/null
sed -i '/^PrivateKey/d' "$own/keyless.conf"
expect 2 as_user "$GINNEL" cage "$own/keyless.conf" -- true 2>"$dir/keyless.txt"
grep -q 'keyless.conf: \[Interface\] has no PrivateKey' "$dir/keyless.txt" || fail "$(cat "$dir/keyless.txt")"
expect 2 cage '' 2>"$dir/empty.txt"
grep -qx 'cage: COMMAND is empty; write the program to run' "$dir/empty.txt" || fail "$(cat "$dir/empty.txt")"

step "what is root's"
install -m 600 "$own/tun0.conf" "$dir/roots.conf"
expect 3 as_user "$GINNEL" cage "$dir/roots.conf" -- true 2>"$dir/roots.txt"
grep -q 'run this as root, or name a copy of it that is yours' "$dir/roots.txt" || fail "$(cat "$dir/roots.txt")"
expect 3 cage_with --publish 80 -- true 2>"$dir/port.txt"
grep -q 'listen on 127.0.0.1:80 by TCP: .*; choose a port from 1024 on' "$dir/port.txt" ||
  fail "$(cat "$dir/port.txt")"

step "commands of the file"
conf hooked <<<"PostUp = touch $own/was-run"
as_user "$GINNEL" cage "$own/hooked.conf" -- true 2>"$dir/hooked.txt"
grep -q 'not run in a cage' "$dir/hooked.txt" || fail "$(cat "$dir/hooked.txt")"
[[ ! -e $own/was-run ]] || fail "PostUp was run"
