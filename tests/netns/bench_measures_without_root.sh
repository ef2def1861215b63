#!/usr/bin/env bash
# `ginnel bench` measures the cryptography for everybody and the data path for root, in namespaces
# that nobody else sees.
source "$(dirname "$0")/lib.sh"

field() { python3 -c "import json, sys; d = json.load(sys.stdin); print($1)" <"$dir/document"; }
as_nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }

step "everybody"
as_nobody "$GINNEL" bench --json >"$dir/document" 2>"$dir/messages"
[[ $(field 'd["path"]') == None ]] || fail "the path cannot have been measured"
[[ $(field '"OpenSSL" in {r["library"] for r in d["aead"]} and d["x25519_us"] > 0') == True ]] ||
  fail "$(cat "$dir/document")"
grep -q "run it as root" "$dir/messages" || fail "$(cat "$dir/messages")"
code=0
as_nobody "$GINNEL" bench path 2>/dev/null || code=$?
[[ $code == 3 ]] || fail "path by name without root: $code"

step "root"
ip -o link >"$dir/before"
"$GINNEL" bench path --rounds 1 --seconds 1 --json >"$dir/document"
[[ $(field 'd["path"]["tunnel_gbit_per_second"] > 0 and d["aead"] == []') == True ]] ||
  fail "$(cat "$dir/document")"
# Only a bench build can leave the cryptography out.
if [[ $(field 'd["path"]["share_of_without_crypto"]') != None ]]; then
  fail "a build that users run sent packets unencrypted"
fi
ip -o link | cmp - "$dir/before"
