#!/usr/bin/env bash
# A refused `set` carries a negative errno, which stock `wg` prints as words, and changes nothing,
# not even when only its last line is wrong.
source "$(dirname "$0")/dev_lib.sh"
namespace left
run_daemon ginnel left "$GINNEL" dev ours --foreground
eventually in_ns left wg show ours
socket=/var/run/wireguard/ours.sock
ask() { printf '%b' "$1" | socat -t 5 - "UNIX-CONNECT:$socket"; }

step "stock wg sees the words of the error"
in_ns left socat UDP4-RECVFROM:7777 STDOUT &
eventually in_ns left bash -c 'ss -Hlun | grep -q :7777'
said=$(in_ns left wg set ours listen-port 7777 2>&1) && fail "a used port was accepted"
[[ $said == *"Address already in use"* ]] || fail "wg said: $said"

step "each kind of wrong request"
key=$(printf 'ab%.0s' {1..32})
while read -r name expected request; do
  got=$(ask "$request" | grep errno)
  [[ $got == "errno=$expected" ]] || fail "$name: expected errno=$expected, got $got"
done <<END
unknown-key -22 set=1\nfrobnicate=1\n\n
bad-port -22 set=1\nlisten_port=70000\n\n
short-key -22 set=1\nprivate_key=abcd\n\n
no-equals -71 set=1\nlisten_port\n\n
bad-prefix -22 set=1\npublic_key=$key\nallowed_ip=10.0.0.0/33\n\n
bad-last-line -22 set=1\npublic_key=$key\nallowed_ip=10.0.0.0/8\nendpoint=nowhere\n\n
wrong-version -22 set=1\npublic_key=$key\nprotocol_version=2\n\n
skipped-but-wrong -22 set=1\npublic_key=$key\nremove=true\nendpoint=nowhere\n\n
trailing-byte 22 get=1\nx\n\n
good 0 get=1\n\n
END

step "nothing of all that was applied"
[[ -z $(in_ns left wg show ours peers) ]] || fail "a refused set left a peer behind"

step "a connection that says nothing is no event"
said=$(wc -l <"$dir/ginnel.log")
: | socat -u - "UNIX-CONNECT:$socket"
[[ $(ask 'get=1\n\n') == *errno=0* ]]
[[ $(wc -l <"$dir/ginnel.log") == "$said" ]] || fail "it logged something"
