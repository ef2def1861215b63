#!/usr/bin/env bash
# Ten thousand peers that never speak are configured by one setconf, are shown again, and cost less
# than 4 KB each and never more than 64 MB in all, with the most threads and while the interface is
# up. Configured again and again, they cost no more.
source "$(dirname "$0")/dev_lib.sh"
namespace left
run_daemon ginnel left "$GINNEL" dev ours --foreground --workers 16
eventually in_ns left wg show ours
ip -n left link set ours up
kilobytes() { awk -v key="$1:" '$1 == key { print $2 }' "/proc/$daemon/status"; }
before=$(kilobytes VmRSS)

{
  printf '[Interface]\nPrivateKey = %s\n' "${private[left]}"
  python3 - <<'END'
import base64
for i in range(1, 10001):
    key = base64.b64encode(i.to_bytes(32, "big")).decode()
    print(f"[Peer]\nPublicKey = {key}\nAllowedIPs = 10.0.{i >> 8}.{i & 255}/32, fd00::{i:x}/128")
END
} >"$dir/many.conf"
in_ns left wg setconf ours "$dir/many.conf"

step "once"
[[ $(in_ns left wg show ours peers | wc -l) == 10000 ]]
after=$(kilobytes VmRSS)
((after - before < 10000 * 4)) || fail "$(((after - before) / 10)) bytes a peer"
peak=$(kilobytes VmHWM)
((peak < 64 * 1024)) || fail "$peak KB resident at a time"

step "again and again"
again() { for _ in {1..20}; do in_ns left wg setconf ours "$dir/many.conf"; done; }
again
settled=$(kilobytes VmRSS)
again
[[ $(in_ns left wg show ours peers | wc -l) == 10000 ]]
((peak = $(kilobytes VmHWM), peak < 64 * 1024)) || fail "$peak KB resident at a time"
((after = $(kilobytes VmRSS), after - settled < 8192)) || fail "$((after - settled)) KB more"
