#!/usr/bin/env bash
# When its control socket is deleted, the daemon ends by itself, says so, and removes its interface:
# that is how stock wg-quick takes a userspace interface down.
source "$(dirname "$0")/dev_lib.sh"
namespace left
run_daemon ginnel left "$GINNEL" dev ours --foreground
eventually in_ns left wg show ours

rm /var/run/wireguard/ours.sock
eventually gone "$daemon"
grep -q 'ours.sock was removed' "$dir/ginnel.log" || fail "it did not say why it ended"
refute in_ns left ip link show ours 2>/dev/null
