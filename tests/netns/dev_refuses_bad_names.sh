#!/usr/bin/env bash
# A name that no interface can have, or that another has, is refused in one line; "wg%d" takes the
# first free number; and whatever the name, nothing is made outside the socket directory.
source "$(dirname "$0")/dev_lib.sh"
link left 192.0.2.1/24 right 192.0.2.2/24
before=$(ip -n left -o link | cut -d: -f2)

while IFS= read -r name; do
  step "\"$name\""
  status=0
  said=$(in_ns left timeout 10 "$GINNEL" dev "$name" --foreground 2>&1) || status=$?
  ((status >= 1 && status <= 3)) || fail "exit code $status"
  [[ $(wc -l <<<"$said") == 1 && ($said == *"\"$name\""* || $said == *" $name:"*) ]] || fail "it said: $said"
  [[ $(ip -n left -o link | cut -d: -f2) == "$before" ]] || fail "interfaces: $(ip -n left link)"
done <<'END'

.
..
../ours
a/b
a b
a:b
0123456789abcdef
lo
to-right
%d%d
wg%s
END
[[ -z $(find /run -name '*.sock') ]] || fail "$(find /run -name '*.sock')"

step "the longest, and a free number"
in_ns left "$GINNEL" dev 0123456789abcde
in_ns left wg show 0123456789abcde >/dev/null
in_ns left "$GINNEL" dev wg%d
in_ns left "$GINNEL" dev wg%d
in_ns left wg show wg0 >/dev/null
in_ns left wg show wg1 >/dev/null
