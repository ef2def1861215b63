# Sourced by scenarios of `ginnel up` and its sisters, after lib.sh's own rules.
# shellcheck shell=bash disable=SC2034  # Scenarios read what is set here.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
source "$(dirname "${BASH_SOURCE[0]}")/host_lib.sh"

export GINNEL_BACKEND=userspace # On machines whose kernel has WireGuard, too.

key_a=$(wg genkey) key_b=$(wg genkey)
pub_a=$(wg pubkey <<<"$key_a") pub_b=$(wg pubkey <<<"$key_b")

# A host with an uplink and two neighbours, whose networking is the scenario's own:
#   host 192.0.2.2, 2001:db8::2 ──── 192.0.2.1, 2001:db8::1 world
make_host() {
  link host 192.0.2.2/24,2001:db8::2/64 world 192.0.2.1/24,2001:db8::1/64
  ip -n host route add default via 192.0.2.1
  ip -n host -6 route add default via 2001:db8::1
  ip -n world addr add 198.51.100.1/32 dev lo
}

# conf NAME: writes /etc/wireguard/NAME.conf from standard input, where @A and @B stand for private
# keys, @a and @b for the public ones.
conf() {
  sed "s|@A|$key_a|g; s|@B|$key_b|g; s|@a|$pub_a|g; s|@b|$pub_b|g" >"/etc/wireguard/$1.conf"
  chmod 600 "/etc/wireguard/$1.conf"
}

# shows NS TEXT CMD...: what it prints contains the text. (With `grep -q` it would be killed by
# SIGPIPE at times.)
shows() {
  local ns=$1 pattern=$2 text
  shift 2
  text=$(in_ns "$ns" "$@")
  [[ $text == *"$pattern"* ]] || fail "\"$*\" does not show $pattern: $text"
}
# daemon_of NS INTERFACE: the process that keeps a userspace interface.
daemon_of() { in_ns "$1" ss -lxp | sed -n "s|.*wireguard/$2.sock.*pid=\([0-9]*\).*|\1|p"; }

# For tables of files: stock wg-quick in namespace `stock` and ginnel in `ours`, which are alike.
make_twins() {
  local ns
  for ns in stock ours; do
    namespace "$ns" far
    ip link add lan netns "$ns" type veth peer name "to-$ns" netns far
    ip -n far link set "to-$ns" up
    address "$ns" lan 192.0.2.2/24,192.168.7.2/24,2001:db8::2/64
    ip -n "$ns" link set lan up
    ip -n "$ns" route add default via 192.0.2.1
    ip -n "$ns" -6 route add default via 2001:db8::1
    ip -n "$ns" route add 172.16.0.0/24 dev lan
    mkdir -p "$dir/$ns/bin"
    # shellcheck disable=SC2016  # It is the script's own.
    printf '#!/bin/sh\nif [ "$1" = -a ]; then { echo "$@"; cat; } >>%s; else echo "$@" >>%s; fi\n' \
      "$dir/$ns/resolvconf" "$dir/$ns/resolvconf" >"$dir/$ns/bin/resolvconf"
    chmod +x "$dir/$ns/bin/resolvconf"
  done
  cases=0 wrong=0
}
quick_in() {
  local ns=$1
  shift
  if [[ $ns == stock ]]; then
    set -- wg-quick "$@"
  else
    set -- "$GINNEL" "$@"
  fi
  PATH="$dir/$ns/bin:$PATH" WG_QUICK_USERSPACE_IMPLEMENTATION=ginnel-dev \
    WG_ENDPOINT_RESOLUTION_RETRIES=0 in_ns "$ns" "$@" >>"$dir/$ns/said" 2>&1 </dev/null
}
# The kernel gives an IPv6 address its route to itself a little later, in work of its own, which
# waits for whoever changes a network on this machine.
has_local_routes() {
  local address
  for address in $(in_ns "$1" ip -6 -o addr show dev c | awk '{ sub("/.*", "", $4); print $4 }'); do
    [[ -n $(in_ns "$1" ip -6 route show table local dev c exact "$address") ]] || return 1
  done
}
# What a tunnel is, as far as it is the same whoever made it.
tunnel_state() {
  local ns=$1
  eventually has_local_routes "$ns"
  in_ns "$ns" ip -4 route show table all
  # The kernel's own addresses on the links differ.
  in_ns "$ns" ip -6 route show table all | sed '/fe80\|ff00/d; s/ pref medium//' | sort
  in_ns "$ns" ip -4 rule show
  in_ns "$ns" ip -6 rule show
  in_ns "$ns" ip -o addr show dev c | sed '/fe80/d; s/^[0-9]*: //; s/valid_lft.*//'
  in_ns "$ns" wg show c dump | awk -F '\t' -v OFS='\t' \
    'NR == 1 { print $1, $2, (port ? $3 : "-"), $4 } NR > 1 { print $1, $2, $3, $4, $8 }' \
    port="$(grep -icE '^\s*listen ?port\s*=\s*[^0[:space:]]' /etc/wireguard/c.conf || true)"
  cat "$dir/$ns/resolvconf" 2>/dev/null || true
}
# same WANTED NAME [differs]: compares what both make of the file on standard input. WANTED is
# accepted or refused, of ginnel; of stock too unless it says differs (docs/up.md lists those), newer
# (Debian's wg-quick does not do that yet), or differs-in-routes.
same() {
  local wanted=$1 name=$2 differs=${3:-} ns result
  declare -A did
  conf c
  for ns in stock ours; do
    : >"$dir/$ns/said"
    : >"$dir/$ns/resolvconf"
    if quick_in "$ns" up c; then
      did[$ns]=accepted
      tunnel_state "$ns" >"$dir/$ns/state"
      quick_in "$ns" down c || { did[$ns]="accepted, and down failed"; }
    else
      did[$ns]=refused
    fi
    in_ns "$ns" ip link show dev c >/dev/null 2>&1 && did[$ns]+=", and the interface stayed"
  done
  cases=$((cases + 1)) result=ok
  [[ ${did[ours]} == "$wanted" ]] || result="ginnel: ${did[ours]}, not $wanted"
  [[ $differs == differs || $differs == newer || ${did[stock]} == "$wanted" ]] || result+="; stock: ${did[stock]}"
  if [[ ${did[*]} == "accepted accepted" && -z $differs ]]; then
    diff "$dir/stock/state" "$dir/ours/state" >"$dir/difference" || result+="; another state"
  fi
  [[ $result == ok ]] && return
  wrong=$((wrong + 1))
  printf -- '-- %s: %s\n' "$name" "$result" >&2
  cat "$dir/difference" >&2 2>/dev/null || true
  : >"$dir/difference"
  tail -n 4 "$dir/stock/said" "$dir/ours/said" >&2
}
all_same() {
  step "$cases files compared"
  ((cases > 0 && wrong == 0)) || fail "$wrong of $cases files"
}
