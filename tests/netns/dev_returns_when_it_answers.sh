#!/usr/bin/env bash
# In the background, `ginnel dev` returns success only when interface and socket answer, and failure
# only when nothing is left behind.
source "$(dirname "$0")/dev_lib.sh"
namespace left

step "success"
for n in {1..10}; do
  in_ns left "$GINNEL" dev "ours$n"
  in_ns left wg show "ours$n" listen-port | finds -vx 0
  ip -n left link show "ours$n" >/dev/null
done
for process in $(ip netns pids left); do kill "$process"; done
eventually no_process left

step "it keeps nothing of its caller's"
exec 9>"$dir/lock"
flock 9
in_ns left "$GINNEL" dev ours
exec 9>&-
flock -n "$dir/lock" true || fail "it holds the caller's lock"
rm /var/run/wireguard/ours.sock
eventually no_process left

fails() {
  local status=0 said remedy=$2
  step "$1"
  shift 2
  said=$(in_ns left timeout 10 "$@" 2>&1) || status=$?
  ((status != 0 && status != 124)) || fail "exit code $status: $said"
  [[ $(wc -l <<<"$said") == 1 && $said == *"$remedy"* ]] || fail "it said: $said"
  no_link left ours || fail "an interface is left"
  eventually no_process left
}
mkdir -p /var/run/wireguard
touch /var/run/wireguard/ours.sock
fails "a file in the place of the socket" "ours.sock: there is another file" "$GINNEL" dev ours
[[ -f /var/run/wireguard/ours.sock ]] || fail "it removed the file"
rm /var/run/wireguard/ours.sock
mount -t tmpfs -o ro tmpfs /var/run/wireguard
fails "a directory that cannot be written" "ours.sock" "$GINNEL" dev ours
umount /var/run/wireguard
mount --bind /dev/null /dev/net/tun
fails "no TUN device" "ours" "$GINNEL" dev ours
umount /dev/net/tun
fails "no descriptors left" "raise the limit on open files" sh -c "ulimit -n 16; exec $GINNEL dev ours"
ip -n left link add ours type veth peer name theirs
said=$(in_ns left "$GINNEL" dev ours 2>&1) && fail "it took an interface of another kind"
[[ $(wc -l <<<"$said") == 1 && $said == *ours* ]] || fail "it said: $said"
ip -n left -d link show ours | finds veth || fail "it removed an interface of another kind"
