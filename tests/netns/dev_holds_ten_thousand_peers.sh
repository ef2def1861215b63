#!/usr/bin/env bash
# Ten thousand peers that never speak are configured by one setconf, are shown again, and cost less
# than 4 KB each and 64 MB in all.
source "$(dirname "$0")/dev_lib.sh"
namespace left
run_daemon ginnel left "$GINNEL" dev ours --foreground
eventually in_ns left wg show ours
resident() { awk '/VmRSS/ { print $2 }' "/proc/$daemon/status"; }
before=$(resident)

{
  printf '[Interface]\nPrivateKey = %s\n' "${private[left]}"
  python3 - <<'END'
import base64
for i in range(1, 10001):
    key = base64.b64encode(i.to_bytes(32, "big")).decode()
    print(f"[Peer]\nPublicKey = {key}\nAllowedIPs = 10.0.{i >> 8}.{i & 255}/32")
END
} >"$dir/many.conf"
in_ns left wg setconf ours "$dir/many.conf"

[[ $(in_ns left wg show ours peers | wc -l) == 10000 ]]
after=$(resident)
((after - before < 10000 * 4)) || fail "$(((after - before) / 10)) bytes a peer"
((after < 64 * 1024)) || fail "$after KB resident"
