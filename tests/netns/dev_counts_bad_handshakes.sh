#!/usr/bin/env bash
# A flood of handshake messages whose senders do not know our key is counted to the last one, as
# "bad_mac1" or, what came faster than it could be looked at, "queue_full"; an honest handshake gets
# through all the same.
source "$(dirname "$0")/dev_lib.sh"
two_ends
start right
start left

flood() { in_ns left "$tests/netns/hostile.py" initiations 192.0.2.2 51822 20000; }
all_counted() { (($(counter right drop_bad_mac1) + $(counter right drop_queue_full) == 20000)); }
some_counted() { (($(counter right drop_bad_mac1) > 0)); }

flood &
flooding=$!
eventually some_counted
eventually reaches left 10.9.0.2
wait "$flooding"
eventually all_counted
in_ns right ginnel show wg-right --json >"$dir/shown"
jq -e '.. | .drop_bad_mac1? // empty | . > 0' "$dir/shown"
