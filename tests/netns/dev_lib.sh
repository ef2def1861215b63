# For the scenarios of `ginnel dev`: two ends of a tunnel over one link.
#
#   left  192.0.2.1 ──── 192.0.2.2  right        inside: 10.9.0.1, fd09::1 ──── 10.9.0.2, fd09::2
#
# The ends listen on ports 51821 and 51822; the link also has 2001:db8::1 and 2001:db8::2.
# shellcheck shell=bash disable=SC2034  # Scenarios read what is set here.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

declare -A public private pid
# Where each end is reached; conf() writes it down.
declare -A outer=([left]=192.0.2.1 [right]=192.0.2.2)
declare -Ar number=([left]=1 [right]=2)
for end in left right; do
  private[$end]=$(wg genkey)
  public[$end]=$(wg pubkey <<<"${private[$end]}")
done

# conf END OTHER [LINE...]: the wg-quick file of END, under /etc/wireguard/wg-END.conf, with further
# lines about the peer.
conf() {
  local end=$1 other=$2 n=${number[$1]} m=${number[$2]}
  cat >"/etc/wireguard/wg-$end.conf" <<END
[Interface]
PrivateKey = ${private[$end]}
ListenPort = 5182$n
Address = 10.9.0.$n/24, fd09::$n/64
[Peer]
PublicKey = ${public[$other]}
AllowedIPs = 10.9.0.$m/32, fd09::$m/128
Endpoint = ${outer[$other]}:5182$m
$(printf '%s\n' "${@:3}")
END
  chmod 600 "/etc/wireguard/wg-$end.conf"
}

# up END IMPLEMENTATION: stock wg-quick with that userspace program.
up() { WG_QUICK_USERSPACE_IMPLEMENTATION=$2 in_ns "$1" wg-quick up "wg-$1"; }

# start END [COMMAND...]: the same by hand, with a daemon that stays a child: `ginnel dev wg-END` or
# the given one. Its process is ${pid[END]}, what it says is in $dir/END.log.
start() {
  local end=$1
  shift
  (($# > 0)) || set -- "$GINNEL" dev "wg-$end" --foreground
  run_daemon "$end" "$end" "$@"
  pid[$end]=$daemon
  eventually in_ns "$end" wg show "wg-$end"
  in_ns "$end" wg setconf "wg-$end" <(wg-quick strip "wg-$end")
  address "$end" "wg-$end" "10.9.0.${number[$end]}/24,fd09::${number[$end]}/64"
  ip -n "$end" link set "wg-$end" up
}

# The link, and both files.
two_ends() {
  link left 192.0.2.1/24,2001:db8::1/64 right 192.0.2.2/24,2001:db8::2/64
  conf left right
  conf right left
}

# serve END: echoes TCP and UDP there, on port 7000 of every address.
serve() {
  run_daemon "echo-$1" "$1" "$tests/netns/echo.py" serve 7000
  eventually in_ns "$1" bash -c 'ss -Hltn | grep -q :7000'
}
# echoes FROM tcp|udp|burst ADDRESS WHAT...: every byte comes back; see echo.py.
echoes() { in_ns "$1" "$tests/netns/echo.py" "$2" "$3" 7000 "${@:4}"; }

# A TCP connection that goes on while things happen. stream FROM ADDRESS begins it; stream_moves
# waits until 2 MB more have come back; end_stream checks it to its last byte.
stream() {
  mkdir -p "$dir/stream"
  in_ns "$1" "$tests/netns/echo.py" stream "$2" 7000 "$dir/stream" &
  streaming=$!
  eventually test -s "$dir/stream/bytes"
  stream_moves
}
streamed() { sed 's/^0*\(.\)/\1/' "$dir/stream/bytes"; }
streamed_beyond() { (($(streamed) > $1)); }
stream_moves() { wait_for 25 streamed_beyond $(($(streamed) + 2000000)); }
end_stream() {
  touch "$dir/stream/stop"
  wait "$streaming"
}

no_process() { [[ -z $(ip netns pids "$1") ]]; }
no_link() { ! ip -n "$1" link show "$2" >/dev/null 2>&1; }

# counter END NAME: a number of `ginnel dev` that stock tools do not show, 0 when it has not counted.
counter() {
  printf 'get=1\n\n' | in_ns "$1" socat -t 5 - "UNIX-CONNECT:/var/run/wireguard/wg-$1.sock" |
    awk -F= -v key="ginnel_$2" '$1 == key { value = $2 } END { print value + 0 }'
}
