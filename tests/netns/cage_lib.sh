# Sourced by scenarios of `ginnel cage`, after lib.sh's own rules.
# shellcheck shell=bash disable=SC2034  # Scenarios read what is set here.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# A user who may do nothing, on a host; and a WireGuard peer, which is not ours, in the world.
#   host 192.0.2.2, 2001:db8::2 ──── 192.0.2.1, 2001:db8::1 world (wg0: 10.9.0.1, fd09::1)
key_user=$(wg genkey) key_world=$(wg genkey)
pub_user=$(wg pubkey <<<"$key_user") pub_world=$(wg pubkey <<<"$key_world")
user=12345
own=$dir/own  # His files.

make_world() {
  link host 192.0.2.2/24,2001:db8::2/64 world 192.0.2.1/24,2001:db8::1/64
  ip -n host route add default via 192.0.2.1
  ip -n host -6 route add default via 2001:db8::1
  run_daemon peer world wireguard-go -f wg0
  peer=$daemon
  eventually in_ns world wg show wg0
  in_ns world wg set wg0 listen-port 51820 private-key /dev/stdin \
    peer "$pub_user" allowed-ips 10.9.0.2/32,fd09::2/128 <<<"$key_world"
  address world wg0 10.9.0.1/24,fd09::1/64
  ip -n world link set wg0 up
  chmod 755 "$dir"
  mkdir -p "$own"
  conf tun0 </dev/null
  chown -R "$user:$user" "$own"
}

# conf NAME [ENDPOINT]: writes the user's NAME.conf; standard input goes into [Interface].
conf() {
  cat >"$own/$1.conf" <<CONF
[Interface]
PrivateKey = $key_user
Address = 10.9.0.2/24, fd09::2/64
DNS = 10.9.0.1, example
$(cat)
[Peer]
PublicKey = $pub_world
AllowedIPs = 0.0.0.0/0, ::/0
Endpoint = ${2:-192.0.2.1:51820}
CONF
  chmod 600 "$own/$1.conf"
  chown "$user:$user" "$own/$1.conf"
}

# as_user CMD...: on the host, without a privilege.
as_user() {
  in_ns host setpriv --reuid "$user" --regid "$user" --clear-groups \
    env HOME="$own" TMPDIR=/tmp "$@"
}
# cage CMD...: in a cage of tun0.conf. cage_with FLAGS... -- CMD... adds flags.
cage() { as_user "$GINNEL" cage "$own/tun0.conf" -- "$@"; }
cage_with() { as_user "$GINNEL" cage "$own/tun0.conf" "$@"; }

# start_cage FLAGS... -- CMD...: the same in the background; $job is ginnel's own process. (A shell
# makes what it starts there ignore SIGINT and SIGQUIT.)
start_cage() {
  ip netns exec host setpriv --reuid "$user" --regid "$user" --clear-groups \
    env --default-signal HOME="$own" TMPDIR=/tmp \
    "$GINNEL" cage "$own/tun0.conf" "$@" &
  job=$!
}

# expect CODE CMD...: it ends with this exit code.
expect() {
  local wanted=$1 code=0
  shift
  "$@" || code=$?
  [[ $code == "$wanted" ]] || fail "exit code $code instead of $wanted: $*"
}
