#!/usr/bin/env bash
# Every verb that carries packets itself lets offloads be switched off, by a flag and by its
# environment twin: `dev`, `up`, `server`, `gateway` and `cage`. What the kernel then does for the
# interface is asked of the kernel.
#
#   host 192.0.2.2, 10.100.0.2 ──── 192.0.2.1 world, 10.100.0.3 member
source "$(dirname "$0")/lib.sh"
export GINNEL_BACKEND=userspace # On machines whose kernel has WireGuard, too.
link host 192.0.2.2/24 world 192.0.2.1/24
link host 10.100.0.2/24 member 10.100.0.3/24
ip -n host route add default via 192.0.2.1
key=$(wg pubkey < <(wg genkey))
cat >/etc/wireguard/tun7.conf <<CONF
[Interface]
PrivateKey = $(wg genkey)
Address = 10.9.0.2/24
[Peer]
PublicKey = $key
AllowedIPs = 0.0.0.0/0
Endpoint = 192.0.2.1:51820
CONF
chmod 600 /etc/wireguard/tun7.conf

exists() { in_ns host ip link show "$1" >/dev/null 2>&1; }
absent() { ! exists "$1"; }
# What the kernel may hand to the interface: "on on" or so, for TCP over IPv4 and IPv6.
features() { awk '/tx-tcp-segmentation:|tx-tcp6-segmentation:/ {print $2}' | xargs; }
of_interface() { in_ns host ethtool -k "$1" | features; }
settled() { [[ $(of_interface "$1") == "$2" ]]; }

# has INTERFACE WANTED WORDS...: what a daemon with these words, or with this environment before
# them, makes of its interface.
has() {
  local interface=$1 wanted=$2
  shift 2
  run_daemon verb host env "$@"
  eventually exists "$interface"
  eventually settled "$interface" "$wanted"
  stop "$daemon"
  eventually absent "$interface"
}

# in_each_way INTERFACE WORDS...: a flag that is there, one in the environment, and none.
in_each_way() {
  local interface=$1
  shift
  step "$*"
  has "$interface" "on on" "$@"
  has "$interface" "off off" "$@" --no-tun-offload
  has "$interface" "off on" "$@" --no-tun-tso4
  has "$interface" "on off" GINNEL_NO_TUN_TSO6=1 "$@"
  has "$interface" "on on" GINNEL_NO_TUN_TSO6=1 "$@" --no-tun-tso6=false
}
in_each_way wg7 "$GINNEL" dev wg7 --foreground
in_each_way tun7 "$GINNEL" up tun7 --foreground
in_each_way wg7 "$GINNEL" server --state-dir "$dir/state" --interface wg7 --endpoint 192.0.2.2
in_each_way tun7 "$GINNEL" gateway tun7 --lan to-member --no-kill-switch

step "a cage"
caged() { in_ns host env "${@:2}" "$GINNEL" cage tun7 "$1" -- ethtool -k tun7 | features; }
[[ $(caged --no-udp-gso) == "on on" ]]
[[ $(caged --no-tun-offload) == "off off" ]]
[[ $(caged --no-udp-gso GINNEL_NO_TUN_TSO4=1) == "off on" ]]

step "a library that is none"
for verb in "dev wg7" "up tun7" "server --state-dir $dir/state" "gateway tun7 --lan to-member" \
  "cage tun7 -- true"; do
  status=0
  # shellcheck disable=SC2086  # Words.
  in_ns host env GINNEL_AEAD=rot13 "$GINNEL" $verb >"$dir/wrong" 2>&1 || status=$?
  [[ "$status $(<"$dir/wrong")" == "2 "*'--aead: "rot13" is not one of auto'* ]] ||
    fail "$verb: $status, $(<"$dir/wrong")"
done
