#!/usr/bin/env bash
# Without the privilege, `ginnel dev` says so in one line that names the interface and the remedy,
# ends with exit code 3, in the foreground and in the background, and leaves nothing.
source "$(dirname "$0")/dev_lib.sh"
namespace left

lacks() {
  local said status=0
  step "$*"
  said=$(in_ns left "$@" "$GINNEL" dev ours --foreground 2>&1) || status=$?
  check "$status" "$said"
  status=0
  said=$(in_ns left "$@" "$GINNEL" dev ours 2>&1) || status=$?
  check "$status" "$said"
}
check() {
  [[ $1 == 3 ]] || fail "exit code $1: $2"
  [[ $(wc -l <<<"$2") == 1 && $2 == *ours* && $2 == *CAP_NET_ADMIN* ]] || fail "it said: $2"
  no_link left ours
  [[ ! -e /var/run/wireguard/ours.sock ]]
  [[ -z $(ip netns pids left) ]] || fail "something still runs"
}
lacks setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all --bounding-set=-all
lacks setpriv --bounding-set=-net_admin
lacks setpriv --inh-caps=-all --bounding-set=-all
