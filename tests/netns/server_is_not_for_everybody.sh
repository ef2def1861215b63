#!/usr/bin/env bash
# Who forgets sudo is told that the server is not for him, and no file of his own is made or shown
# instead; a member of the group ginnel manages it.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/server_lib.sh"
groupadd ginnel
group=$(getent group ginnel | cut -d: -f3)
chmod 711 "$dir"
install -d -o 65534 -g 65534 -m 700 "$dir/home"
# as_user GROUPS VERB...
as_user() {
  in_ns server env HOME="$dir/home" setpriv --reuid 65534 --regid 65534 "$1" "$GINNEL" "${@:2}"
}
server_topology
start_server

step "a stranger"
for verb in 'server status' 'server reload' 'peer list' 'peer add anna' 'peer config first'; do
  got=0
  # shellcheck disable=SC2086  # Two words and more.
  as_user --clear-groups $verb >"$dir/out" 2>"$dir/err" || got=$?
  ((got == 3)) || fail "$verb: exit code $got: $(<"$dir/err")"
  grep -q 'server-wg0.sock: not permitted' "$dir/err" || fail "$verb: $(<"$dir/err")"
  [[ ! -s $dir/out ]] || fail "$verb: $(<"$dir/out")"
done
find "$dir/home" -mindepth 1 | refute grep .

step "a member of the group"
as_user "--groups=$group" peer add anna 2>"$dir/err"
manage peer show anna >"$dir/out"
as_user "--groups=$group" server status | finds 'state: online'

step "who has files of his own means those"
install -D -o 65534 -g 65534 /dev/null "$dir/home/.config/ginnel/server.toml"
chown 65534:65534 "$dir/home/.config" "$dir/home/.config/ginnel"
as_user --clear-groups peer add bert
as_user --clear-groups peer list | finds bert
manage peer list >"$dir/out"
refute grep -q bert "$dir/out"
