#!/usr/bin/env bash
# `ginnel gateway test` attacks a twin of the gateway, by its file before it runs and by its record
# while it does. Nothing escapes, and the gateway does not notice.
source "$(dirname "$0")/gateway_lib.sh"
gateway_topology
two_providers

certified() { # NAME ARGS...
  local name=$1
  shift
  in_ns gw "$GINNEL" gateway test --json "$@" >"$dir/$name.json" 2>"$dir/$name.log" || {
    in_ns gw "$GINNEL" gateway test "$@" >&2 || true
    fail "$name is not certified"
  }
}
cells() { # NAME EXPRESSION: how many cells it holds for.
  python3 - "$dir/$1.json" "$2" <<'PYTHON'
import json, sys
cells = json.load(open(sys.argv[1]))["cells"]
print(sum(bool(eval(sys.argv[2], {}, cell)) for cell in cells))
PYTHON
}
passed_check() { # NAME CHECK
  python3 - "$dir/$1.json" "$2" <<'PYTHON'
import json, sys
checks = {c["name"]: c["verdict"] for c in json.load(open(sys.argv[1]))["checks"]}
sys.exit(checks.get(sys.argv[2]) != "passed")
PYTHON
}

step "by its file"
certified planned nl --lan to-member
(($(cells planned 'verdict == "passed" and origin == "forwarded"') > 100))
(($(cells planned 'verdict == "passed" and origin == "container"') > 100))
(($(cells planned 'verdict != "passed"') == 0))
passed_check planned 'connected: external address of a LAN member, IPv4'
passed_check planned 'connected: external address of a LAN member, IPv6'
passed_check planned 'connected: resolver 10.2.0.1'

step "with a tunnel that carries IPv4 only"
certified narrow se --lan to-member
passed_check narrow 'connected: external address, IPv6'

step "with another tunnel that takes over"
certified several nl se --lan to-member --table 2000 --rule-priorities 6,20,21
(($(cells several 'verdict == "passed" and phase == "failed-over"') > 100))
(($(cells several 'verdict == "passed" and attack == "resolver-10.3.0.1"') > 20))

step "while it runs"
start_gateway nl se --lan to-member
watch_wire
certified standing
eventually reaches_by nl member 203.0.113.1
no_leaks

step "flags say nothing of what runs"
status=0
in_ns gw "$GINNEL" gateway test --lan to-member 2>"$dir/error" || status=$?
((status == 2))
grep -q 'name its file' "$dir/error"

step "a LAN interface that is not there"
status=0
in_ns gw "$GINNEL" gateway test nl --lan eth9 2>"$dir/error" || status=$?
((status != 0))
grep -q 'there is no interface eth9' "$dir/error"
