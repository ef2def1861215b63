#!/usr/bin/env bash
# When its interface is deleted, the daemon ends by itself, says so, and removes its socket.
source "$(dirname "$0")/dev_lib.sh"
namespace left
run_daemon ginnel left "$GINNEL" dev ours --foreground
eventually in_ns left wg show ours

ip -n left link del ours
eventually gone "$daemon"
status=0
wait "$daemon" || status=$?
[[ $status == 0 ]] || fail "exit code $status"
grep -q 'interface ours was deleted' "$dir/ginnel.log" || fail "it did not say why it ended"
[[ ! -e /var/run/wireguard/ours.sock ]] || fail "the socket stayed"
