# Sourced by every scenario in tests/netns/. Re-runs the scenario in private network, mount and
# process namespaces: when it exits, however it exits, the kernel takes down every process,
# namespace, interface and file it made, so there is no cleanup code and a failed run leaves nothing
# behind. Scenarios run beside each other and beside whatever the host does.
#
# For a scenario: $GINNEL is the program (also in PATH, with ginnel-dev), $dir an empty folder;
# /etc, /var/lib and /run may be written as one likes.
# shellcheck shell=bash disable=SC2034  # Scenarios read what is set here.
set -Eeuo pipefail
shopt -s inherit_errexit

if [[ -z ${IN_TEST_NAMESPACE:-} ]]; then
  isolate=(unshare --net --mount --pid --fork --kill-child --mount-proc)
  "${isolate[@]}" true 2>/dev/null || { echo "FAIL: needs root (CAP_SYS_ADMIN)" >&2; exit 1; }
  IN_TEST_NAMESPACE=1 exec "${isolate[@]}" "$BASH" "$0" "$@"
fi

tests=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
GINNEL=$(realpath "${GINNEL:-$tests/../build/dev/bin/ginnel}")
[[ -x $GINNEL ]] || { echo "FAIL: no program $GINNEL; run \"./x build\"" >&2; exit 1; }
export GINNEL LC_ALL=C PATH="${GINNEL%/*}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# What is written to /etc and /var/lib stays in memory; what is read there is the host's.
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/netns /run/lock /run/layers
mount -t tmpfs tmpfs /run/layers
for folder in etc var/lib; do
  mkdir -p "/run/layers/$folder/"{upper,work}
  mount -t overlay -o "lowerdir=/$folder,upperdir=/run/layers/$folder/upper,workdir=/run/layers/$folder/work" \
    overlay "/$folder"
done
[[ /var/run -ef /run ]] || mount --rbind /run /var/run
rm -rf /etc/wireguard /etc/ginnel /etc/netns /var/lib/ginnel
mkdir -p /etc/wireguard /etc/ginnel /etc/netns /var/lib/ginnel
dir=$(mktemp -d /run/test.XXXXXX)
export HOME=$dir TMPDIR=$dir
ip link set lo up

step() { printf '\n== %s\n' "$*" >&2; }
fail() { printf 'FAIL: %s\n' "$*" >&2; exit 1; }
refute() { if "$@"; then fail "should have failed: $*"; fi; }

# Says where a scenario stopped, and what its daemons had to say.
report() {
  local status=$? log
  ((status == 0)) || for log in "$dir"/*.log; do
    [[ -s $log ]] || continue
    printf '\n-- %s\n' "${log##*/}" >&2
    tail -n 50 "$log" >&2
  done
}
trap report EXIT
trap 'printf "FAIL: %s:%s: %s\n" "${BASH_SOURCE[0]##*/}" "$LINENO" "$BASH_COMMAND" >&2' ERR

# CMD... | finds PATTERN: grep -q that reads to the end. grep -q alone leaves when it has found, and
# whoever still writes is then cut off, which pipefail takes for a failure.
finds() {
  local found=0
  grep -q "$@" || found=$?
  cat >/dev/null
  return "$found"
}

# wait_for SECONDS CMD...: polls instead of sleeping: fast when things work, patient when the
# machine is slow.
wait_for() {
  local end=$((SECONDS + $1))
  shift
  while ((SECONDS < end)); do
    "$@" >/dev/null 2>&1 && return
    sleep 0.05
  done
  fail "never succeeded: $*"
}
eventually() { wait_for 15 "$@"; }

# namespace NAME...: makes those that are missing. Addresses are usable at once: nobody else is on
# these links, so there is nothing to detect.
namespace() {
  local ns
  for ns in "$@"; do
    [[ ! -e /run/netns/$ns ]] || continue
    ip netns add "$ns"
    ip -n "$ns" link set lo up
    ip netns exec "$ns" sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0
  done
}
in_ns() {
  local ns=$1
  shift
  ip netns exec "$ns" "$@"
}

# address NS DEV ADDR[,ADDR...]
address() {
  local one
  for one in ${3//,/ }; do ip -n "$1" addr add "$one" dev "$2"; done
}

# link A ADDR[,ADDR...] B ADDR[,ADDR...]: two namespaces joined by a veth pair, to-B in A and to-A
# in B.
link() {
  namespace "$1" "$3"
  ip link add "to-$3" netns "$1" type veth peer name "to-$1" netns "$3"
  address "$1" "to-$3" "$2"
  address "$3" "to-$1" "$4"
  ip -n "$1" link set "to-$3" up
  ip -n "$3" link set "to-$1" up
  # The carrier comes a moment after both ends are up, to each by itself.
  eventually in_ns "$1" grep -qx up "/sys/class/net/to-$3/operstate"
  eventually in_ns "$3" grep -qx up "/sys/class/net/to-$1/operstate"
}

# run_daemon NAME NS CMD...: starts it in the background; its process is $daemon, what it says goes
# to $dir/NAME.log and is shown when the scenario fails.
run_daemon() {
  local name=$1 ns=$2
  shift 2
  ip netns exec "$ns" "$@" >"$dir/$name.log" 2>&1 </dev/null &
  daemon=$!
}
running() { [[ -e /proc/$1 && $(sed -n 's/^State:\s*\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null) != [ZX] ]]; }
gone() { ! running "$1"; }

# stop PID [SIGNAL]: ends a process of run_daemon and sets $status to its exit code.
stop() {
  kill -s "${2:-TERM}" "$1"
  eventually gone "$1"
  status=0
  wait "$1" 2>/dev/null || status=$?
}

# capture NAME NS DEV [FILTER...]: records from when it returns. packets NAME [FILTER...] prints
# what has been recorded, one line each; count NAME [FILTER...] how many.
capture() {
  local name=$1 ns=$2 dev=$3
  shift 3
  ip netns exec "$ns" tcpdump -Z root --immediate-mode -U -n -i "$dev" -w "$dir/$name.pcap" "$@" \
    2>"$dir/$name.capture" &
  eventually grep -q 'listening on' "$dir/$name.capture"
}
packets() {
  local name=$1
  shift
  tcpdump -n -r "$dir/$name.pcap" "$@" 2>/dev/null
}
count() { packets "$@" | wc -l; }

# reaches NS ADDR: one ping, either family.
reaches() { in_ns "$1" ping -c 1 -W 1 -n "$2" >/dev/null 2>&1; }

# kernel_peer NAME NS HOST_CIDR GUEST_CIDR [OPTIONS]: boots a guest whose kernel has WireGuard, wired
# to NS (to-NAME there, eth0 in the guest); the options are those of ../kernel-peer.sh. The guest
# sees the host's programs, not $dir: $dir/NAME/share is what both can write.
kernel_peer() {
  local name=$1
  namespace "$2"
  "$tests/kernel-peer.sh" start "$dir/$name" --netns "$2" --tap "to-$name" --link-host "$3" \
    --link-guest "$4" "${@:5}"
}
# in_kernel NAME CMD...: runs it in the guest.
in_kernel() { "$tests/kernel-peer.sh" exec "$dir/$1" "${@:2}"; }
