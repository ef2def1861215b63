# Sourced by scenarios that compare a host before and after, after lib.sh's own rules.
# shellcheck shell=bash disable=SC2154  # Set in lib.sh.

# host_state NS: everything about the host's networking that has to be as it was afterwards.
host_state() {
  local ns=$1
  for what in addr route; do
    in_ns "$ns" ip -j "$what" show | strip_times
    in_ns "$ns" ip -j -6 "$what" show table all 2>/dev/null | strip_times || true
  done
  in_ns "$ns" ip -j -4 route show table all | strip_times
  in_ns "$ns" ip -j -6 route show table all | strip_times
  in_ns "$ns" ip -j -4 rule show
  in_ns "$ns" ip -j -6 rule show
  in_ns "$ns" nft -j list ruleset | python3 -c '
import json, sys
def clean(x):
    if isinstance(x, dict):
        return {k: clean(v) for k, v in x.items() if k not in ("handle", "packets", "bytes")}
    return [clean(v) for v in x] if isinstance(x, list) else x
print(json.dumps(clean(json.load(sys.stdin)), sort_keys=True))'
  in_ns "$ns" sysctl -a 2>/dev/null | grep -E '^net\.' |
    grep -vE 'stable_secret|nf_conntrack_count|\.gc_|route\.|_time|neigh' || true
  cat /etc/resolv.conf 2>/dev/null || echo "no resolv.conf"
}
# Lifetimes count down, and caches come and go.
strip_times() {
  python3 -c '
import json, sys
text = sys.stdin.read()
rows = json.loads(text) if text.strip() else []
def clean(x):
    if isinstance(x, dict):
        return {k: clean(v) for k, v in x.items()
                if k not in ("valid_life_time", "preferred_life_time", "expires", "used", "age")}
    return [clean(v) for v in x] if isinstance(x, list) else x
print(json.dumps(sorted((json.dumps(clean(r), sort_keys=True) for r in rows if r))))'
}
unchanged() { diff "$dir/$1.before" "$dir/$1.after" >&2 || fail "the host is not as it was"; }
remember() { host_state "$1" >"$dir/$1.before"; }
check_unchanged() {
  host_state "$1" >"$dir/$1.after"
  unchanged "$1"
}
