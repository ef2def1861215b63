#!/usr/bin/env bash
# A scenario sees nothing of another and leaves nothing on the host, also when it fails; and it does
# fail, saying where, when a step of it fails.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
lib=$(realpath "$(dirname "$0")")/lib.sh
probe=ginnel-probe-$$

# scenario TEXT: runs it, keeps its output in $work/output, sets $status.
scenario() {
  printf 'source %q\n%s\n' "$lib" "$1" >"$work/scenario.sh"
  status=0
  bash "$work/scenario.sh" >"$work/output" 2>&1 || status=$?
}
expect() { # expect STATUS TEXT
  [[ $status == "$1" ]] || { cat "$work/output"; echo "FAIL: exit code $status, not $1"; exit 1; }
  grep -qF -- "$2" "$work/output" || { cat "$work/output"; echo "FAIL: does not say \"$2\""; exit 1; }
}

scenario "
link a 10.0.0.1/24,fd00::1/64 b 10.0.0.2/24,fd00::2/64
reaches a 10.0.0.2
reaches b fd00::1
refute reaches a 10.0.0.3
capture seen b to-a icmp
reaches a 10.0.0.2
eventually eval '[[ \$(count seen icmp) -ge 2 ]]'
for folder in /etc /etc/wireguard /etc/ginnel /var/lib/ginnel /run /var/run/wireguard; do
  mkdir -p \"\$folder\"
  echo x >\"\$folder/$probe\"
done
run_daemon sleeper a sleep 1000
running \"\$daemon\"
stop \"\$daemon\"
[[ \$status == 143 ]]
run_daemon sleeper a sleep 1000.$$
echo all well"
expect 0 'all well'
for folder in /etc /etc/wireguard /etc/ginnel /var/lib/ginnel /run /var/run/wireguard; do
  [[ ! -e $folder/$probe ]] || { echo "FAIL: $folder/$probe is on the host"; exit 1; }
done
[[ ! -e /run/netns/a ]] || { echo "FAIL: the namespace is on the host"; exit 1; }
if grep -qxzF "1000.$$" /proc/[0-9]*/cmdline 2>/dev/null; then
  echo "FAIL: the daemon outlived its scenario"
  exit 1
fi

scenario "
namespace a
run_daemon talker a sh -c 'echo my last words; exit 3'
eventually gone \"\$daemon\"
false"
expect 1 'scenario.sh:6: false'
expect 1 'my last words'

scenario 'refute true'
expect 1 'FAIL: should have failed: true'
scenario 'wait_for 1 false'
expect 1 'FAIL: never succeeded: false'
scenario "x=\$(false); echo went on"
expect 1 'FAIL: scenario.sh:2'
