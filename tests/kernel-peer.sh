#!/usr/bin/env bash
# Runs a real Linux-kernel WireGuard peer in a throw-away guest, for tests on machines whose own
# kernel has no WireGuard. Needs Debian 12 on x86-64, root and /dev/net/tun; neither KVM nor a kernel
# module, though it uses KVM where that works.
#
#   kernel-peer.sh prepare                      fetch the guest kernel into the cache, once
#   kernel-peer.sh start FOLDER [OPTIONS]       boot a guest, and return when it is ready
#   kernel-peer.sh exec FOLDER [-t SECONDS] CMD...   run a command in it (limit: 30 s)
#   kernel-peer.sh log FOLDER                   what its console and its monitor said
#   kernel-peer.sh stop FOLDER
#
# FOLDER holds the guest's state; it is made by start. Options of start:
#   --netns NS            the namespace that the guest is wired to (required)
#   --tap DEV             the device there (default: to-kernel)
#   --link-host CIDR,..   that device's addresses
#   --link-guest CIDR,..  those of the guest's eth0
#   --mem MIB             (default: 192)
# With --private-key KEY|FILE the guest gets a wg0, and these apply:
#   --address CIDR,..  --listen-port PORT (51820)  --mtu MTU  --peer KEY  --psk KEY
#   --endpoint IP:PORT  --allowed-ips CIDR,..  --keepalive SECONDS
#
# The guest's / is the host's own (virtiofs, read-only), so every program of the host runs in it.
# /etc, /var and /usr/lib are copies that live in its memory, /run is its own. FOLDER/share is the
# one place that both sides can write, under the same path.
#
# exec with one word takes it as shell text; with several, each stays the word it is.
#end of usage
set -euo pipefail

kernel_package=linux-image-cloud-amd64 # Unpacked, never installed: no initrd, no boot loader, no /boot.
virtiofsd=/usr/lib/qemu/virtiofsd
boot_seconds=90
kvm_seconds=20
# A changed recipe makes another guest, so the cache is never stale.
cache=${XDG_CACHE_HOME:-/var/cache}/ginnel/guest-$(cksum <"${BASH_SOURCE[0]}" | cut -d' ' -f1)

die() { printf 'kernel-peer: %s\n' "$*" >&2; exit 1; }

# --- The guest: a kernel and an initrd -------------------------------------------------------------

# Loaded at boot: one by one and through virtiofs, they would take ten times as long.
boot_modules=(virtio_pci virtio_console virtiofs overlay virtio_net wireguard nf_tables nft_ct
  nft_chain_nat nft_nat nft_masq nft_redir nft_reject_inet nft_fib_inet nft_log nft_limit nft_hash
  nft_numgen nft_quota nft_compat nf_log_syslog)

# The first program: mounts the host's tree with writable layers over it, and hands over to the agent.
write_init() {
  cat <<'INIT'
#!/bin/busybox sh
b=/bin/busybox r=/layers/root
$b mount -t proc p /proc
$b mount -t devtmpfs d /dev
for m in /m/*.ko; do $b insmod $m; done
for w in $($b cat /proc/cmdline); do case $w in guest.*=*) eval "${w#guest.}" ;; esac; done
$b mount -t virtiofs host /host
$b mount -t tmpfs t /layers
$b mkdir $r
$b mount -o bind /host $r
$b mount -o bind,remount,ro $r
for d in etc var usr/lib; do
  $b mkdir -p /layers/upper/$d /layers/work/$d
  $b mount -t overlay -o lowerdir=/host/$d,upperdir=/layers/upper/$d,workdir=/layers/work/$d o $r/$d
done
$b mount -t proc p $r/proc
$b mount -t sysfs s $r/sys
$b mount -t devtmpfs d $r/dev
$b mkdir -p $r/dev/pts $r/dev/shm
$b mount -t devpts d $r/dev/pts
for l in fd/ stdin/0 stdout/1 stderr/2; do $b ln -s /proc/self/fd/${l#*/} $r/dev/${l%/*}; done
$b mount -t tmpfs t $r/run
$b mkdir -p $r/run/lock $r/run/netns $r/run/tmp $r/usr/lib/modules $r$share
$b mount -o bind /host$modules $r/usr/lib/modules
$b mount -t virtiofs share $r$share
exec $b chroot $r /bin/bash $share/agent
INIT
}

# Runs one command at a time. Its number comes over the serial port, its text and its output go
# through the shared folder.
write_agent() {
  cat <<'AGENT'
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME=/run/tmp TMPDIR=/run/tmp LC_ALL=C
share=${0%/*}
cd "$share"
until port=$(ls /dev/vport* 2>/dev/null) && [[ -e /sys/class/net/eth0 ]]; do sleep 0.1; done
exec 3<>"$port"
ip link set lo up
ulimit -c 0
echo ready 0 >&3
while read -r id <&3; do
  if [[ $id == off ]]; then busybox poweroff -f; fi
  bash "$share/$id.cmd" </dev/null >"$share/$id.out" 2>&1 3>&-
  echo "$id $?" >&3
done
AGENT
}

fetch_kernel() { # fetch_kernel FOLDER: unpacks the package there, sets $version
  local package
  package=$(apt-cache depends "$kernel_package" | awk '/Depends: linux-image-[0-9]/{print $2; exit}')
  [[ -n $package ]] || return 1
  (cd "$1" && apt-get -q -o APT::Sandbox::User=root download "$package" >/dev/null) || return 1
  dpkg -x "$1"/*.deb "$1"
  rm "$1"/*.deb
  version=${package#linux-image-}
}

build_initrd() { # build_initrd FOLDER: FOLDER/initrd.gz from the kernel in FOLDER
  local root=$1/initrd module file number=100
  mkdir -p "$root"/{bin,m,proc,dev,host,layers}
  cp /bin/busybox "$root/bin/"
  for module in "${boot_modules[@]}"; do
    for file in $(modprobe -d "$1" -S "$version" --show-depends "$module" | awk '$1 == "insmod" {print $2}'); do
      compgen -G "$root/m/*-${file##*/}" >/dev/null && continue
      cp "$file" "$root/m/$number-${file##*/}"
      number=$((number + 1))
    done
  done
  write_init >"$root/init"
  chmod +x "$root/init"
  (cd "$root" && find . | cpio -o -H newc --quiet | gzip -1) >"$1/initrd.gz"
  rm -rf "$root"
}

# /dev/kvm may be there and accept a guest that then never runs. A kernel without a root file system
# panics and ends at once, where it runs.
kvm_works() { # kvm_works FOLDER
  # The inner shell keeps to itself that qemu aborted.
  [[ -w /dev/kvm ]] && sh -c 'timeout 10 qemu-system-x86_64 -M q35 -accel kvm -cpu host -m 128 \
    -nodefaults -no-user-config -display none -no-reboot -kernel "$0" -append panic=-1; exit $?' \
    "$1/vmlinuz" </dev/null >/dev/null 2>&1
}

prepare() {
  [[ ! -e $cache/version ]] || return 0
  [[ $(uname -m) == x86_64 ]] || die "the guest needs an x86-64 host"
  [[ -x $virtiofsd ]] || die "no $virtiofsd; install qemu-system-x86 (\"./x deps test\")"
  mkdir -p "${cache%/*}"
  exec 9>"$cache.lock"
  flock 9 # Another may be at it, and be done when we get here.
  [[ ! -e $cache/version ]] || return 0
  local new version
  new=$(mktemp -d "$cache.XXXXXX")
  # shellcheck disable=SC2064  # As it is here.
  trap "rm -rf '$new'" EXIT
  fetch_kernel "$new" || { apt-get -q update >/dev/null && fetch_kernel "$new"; } ||
    die "cannot download $kernel_package; is there a connection to a Debian mirror?"
  depmod -b "$new" "$version"
  mv "$new/boot/vmlinuz-$version" "$new/vmlinuz"
  rm -rf "${new:?}"/{boot,usr}
  build_initrd "$new"
  if kvm_works "$new"; then echo kvm; else echo tcg; fi >"$new/accel"
  echo "$version" >"$new/version"
  chmod 755 "$new"
  rm -rf "$cache"
  mv "$new" "$cache"
  echo "kernel-peer: kernel $version, $(du -sh "$cache" | cut -f1) in $cache, accelerated by $(<"$cache/accel")"
}

# --- A running guest -------------------------------------------------------------------------------

running() { # A zombie is not running.
  [[ -s $folder/pid ]] && grep -qs '^State:[[:space:]]*[^ZX[:space:]]' "/proc/$(<"$folder/pid")/status"
}

# Reads answers until the one to ID, whose exit code becomes $answer. The time-out of read may strike
# in the middle of a line, whose beginning must not be lost.
await() { # await ID SECONDS
  local end=$((SECONDS + $2)) line='' piece
  while ((SECONDS < end)) && running; do
    if IFS= read -r -t 1 piece <&7; then
      line+=$piece
      answer=${line#* }
      [[ ${line%% *} != "$1" ]] || return 0
      line=
    else
      line+=$piece
    fi
  done
  return 1
}

# Runs shell text in the guest: prints what it prints, returns what it returns.
in_guest() { # in_guest SECONDS TEXT
  local id=$$.$RANDOM answer=1
  running || die "no guest is running in $folder"
  exec 9>"$folder/lock" 7<>"$folder/port.out" 8<>"$folder/port.in"
  flock 9
  printf '%s\n' "$2" >"$folder/share/$id.cmd"
  echo "$id" >&8
  await "$id" "$1" || die "the guest gave no answer in $1 s"
  flock -u 9
  cat "$folder/share/$id.out"
  rm -f "$folder/share/$id".{cmd,out}
  return "$answer"
}

serve() { # serve TAG SOURCE CACHE: a file system of the host's for the guest
  setsid "$virtiofsd" --socket-path="$folder/$1.sock" -o "source=$2" -o sandbox=chroot -o "cache=$3" -f \
    >"$folder/$1.log" 2>&1 </dev/null 7>&- 8>&- 9>&- &
  echo $! >"$folder/$1.pid"
  for _ in {1..200}; do
    [[ -S $folder/$1.sock ]] && return
    sleep 0.05
  done
  die "virtiofsd does not start; see $folder/$1.log"
}

launch() { # launch ACCEL NETNS TAP MEM
  local cpu=max accel=tcg,thread=multi mac
  if [[ $1 == kvm ]]; then cpu=host accel=kvm; fi
  mac=$(printf '%s' "$3" | md5sum | sed 's/\(..\)\(..\)\(..\).*/52:54:00:\1:\2:\3/')
  rm -f "$folder"/{host.sock,share.sock,pid,port.in,port.out}
  mkfifo "$folder/port.in" "$folder/port.out"
  exec 7<>"$folder/port.out" 8<>"$folder/port.in" # Held open while the guest boots.
  serve host / always
  serve share "$folder/share" none
  setsid nsenter --net="/run/netns/$2" qemu-system-x86_64 \
    -M q35 -accel "$accel" -cpu "$cpu" -m "$4" \
    -object "memory-backend-memfd,id=mem,size=${4}M,share=on" -numa node,memdev=mem \
    -nodefaults -no-user-config -display none -no-reboot -serial "file:$folder/console.log" \
    -chardev "socket,id=host,path=$folder/host.sock" -device vhost-user-fs-pci,chardev=host,tag=host \
    -chardev "socket,id=share,path=$folder/share.sock" -device vhost-user-fs-pci,chardev=share,tag=share \
    -chardev "pipe,id=port,path=$folder/port" -device virtio-serial-pci \
    -device virtserialport,chardev=port,name=port \
    -netdev "tap,id=n0,ifname=$3,script=no,downscript=no" \
    -device "virtio-net-pci,netdev=n0,mac=$mac,romfile=" \
    -kernel "$cache/vmlinuz" -initrd "$cache/initrd.gz" \
    -append "console=ttyS0 quiet panic=-1 mitigations=off net.ifnames=0 guest.modules=$cache/lib/modules guest.share=$folder/share" \
    >"$folder/qemu.log" 2>&1 </dev/null 7>&- 8>&- 9>&- &
  echo $! >"$folder/pid"
}

end_processes() {
  local file
  for file in "$folder"/{pid,host.pid,share.pid}; do
    [[ ! -s $file ]] || kill "$(<"$file")" 2>/dev/null || true
    rm -f "$file"
  done
}

boot() { # boot NETNS TAP MEM
  local answer
  if [[ $(<"$cache/accel") == kvm ]]; then
    launch kvm "$@"
    await ready "$kvm_seconds" && return
    end_processes
  fi
  launch tcg "$@"
  await ready "$boot_seconds" && return
  tail -n 5 "$folder"/*.log >&2 || true
  stop
  die "the guest did not boot in $boot_seconds s"
}

# Shell text that makes the guest's wg0 of start's options.
wireguard_text() {
  local one
  printf 'ip link add wg0 type wireguard\n'
  printf 'wg set wg0 listen-port %q private-key <(echo %q)' "$listen_port" "$private_key"
  if [[ -n $peer ]]; then
    printf ' peer %q allowed-ips %q' "$peer" "$allowed_ips"
    [[ -z $psk ]] || printf ' preshared-key <(echo %q)' "$psk"
    [[ -z $endpoint ]] || printf ' endpoint %q' "$endpoint"
    [[ -z $keepalive ]] || printf ' persistent-keepalive %q' "$keepalive"
  fi
  printf '\n'
  printf 'sysctl -qw net.ipv6.conf.wg0.accept_dad=0\n'
  for one in ${address//,/ }; do printf 'ip addr add %q dev wg0\n' "$one"; done
  printf 'ip link set wg0 up %s\n' "${mtu:+mtu $mtu}"
  for one in ${allowed_ips//,/ }; do printf 'ip route replace %q dev wg0\n' "$one"; done
}

set_up_text() {
  local one
  printf 'set -e\nsysctl -qw net.ipv6.conf.eth0.accept_dad=0\nip link set eth0 up\n'
  for one in ${link_guest//,/ }; do printf 'ip addr add %q dev eth0\n' "$one"; done
  [[ -z $private_key ]] || wireguard_text
}

start() {
  local netns='' tap=to-kernel link_host='' link_guest='' mem=192 private_key='' address='' \
    listen_port=51820 mtu='' peer='' psk='' endpoint='' allowed_ips='' keepalive='' name one
  while (($# > 0)); do
    name=${1#--}
    name=${name//-/_}
    [[ $1 == --* && $name =~ ^(netns|tap|link_host|link_guest|mem|private_key|address|listen_port|mtu|peer|psk|endpoint|allowed_ips|keepalive)$ ]] ||
      die "start: unknown option $1; \"$0\" lists them"
    (($# >= 2)) || die "start: $1 needs a value"
    printf -v "$name" %s "$2"
    shift 2
  done
  [[ -e /run/netns/$netns && -n $netns ]] || die "start: --netns names no network namespace: \"$netns\""
  [[ ! -f $private_key ]] || private_key=$(<"$private_key")
  [[ -e $cache/version ]] || die "no guest kernel yet; run \"tests/kernel-peer.sh prepare\" where there is a network"
  ! running || die "start: a guest is already running in $folder"
  mkdir -p "$folder/share"
  folder=$(realpath "$folder")
  chmod 700 "$folder"
  echo "$netns $tap" >"$folder/wire"
  ip -n "$netns" tuntap add "$tap" mode tap
  for one in ${link_host//,/ }; do ip -n "$netns" addr add "$one" dev "$tap"; done
  ip -n "$netns" link set "$tap" up
  write_agent >"$folder/share/agent"
  boot "$netns" "$tap" "$mem"
  exec 7>&- 8>&-
  in_guest 30 "$(set_up_text)" >&2 || { stop; die "start: setting up the guest failed, as said above"; }
}

stop() {
  local wire
  if running; then
    exec 8<>"$folder/port.in"
    echo off >&8
    for _ in {1..20}; do
      running || break
      sleep 0.1
    done
    exec 8>&-
  fi
  end_processes
  if [[ -s $folder/wire ]]; then
    read -ra wire <"$folder/wire"
    ip -n "${wire[0]}" link del "${wire[1]}" 2>/dev/null || true
    rm -f "$folder/wire"
  fi
}

usage() {
  sed -n '2,/^#end of usage/{/^#end/d;s/^# \{0,1\}//;p}' "$0" >&2
  exit 2
}

(($# > 0)) || usage
verb=$1
shift
if [[ $verb == prepare ]]; then
  prepare
  exit
fi
(($# > 0)) || usage
folder=$1
shift
case $verb in
  start) start "$@" ;;
  exec)
    limit=30
    if [[ ${1:-} == -t ]]; then
      limit=$2
      shift 2
    fi
    (($# > 0)) || usage
    if (($# > 1)); then in_guest "$limit" "$(printf '%q ' "$@")"; else in_guest "$limit" "$1"; fi
    ;;
  log) tail -n 50 "$folder"/*.log ;;
  stop) stop ;;
  *) usage ;;
esac
