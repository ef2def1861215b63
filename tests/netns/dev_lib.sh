# For the scenarios of `ginnel dev`: two ends of a tunnel over one link.
#
#   left  192.0.2.1 ──── 192.0.2.2  right        inside: 10.9.0.1, fd09::1 ──── 10.9.0.2, fd09::2
# shellcheck shell=bash
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

declare -A public private
for end in left right; do
  private[$end]=$(wg genkey)
  public[$end]=$(wg pubkey <<<"${private[$end]}")
done

# conf END OTHER [KEEPALIVE]: the wg-quick file of END, under /etc/wireguard/wg-END.conf.
conf() {
  local end=$1 other=$2 n=1 m=2
  [[ $end == left ]] || { n=2 m=1; }
  cat >"/etc/wireguard/wg-$end.conf" <<END
[Interface]
PrivateKey = ${private[$end]}
ListenPort = 5182$n
Address = 10.9.0.$n/24, fd09::$n/64
[Peer]
PublicKey = ${public[$other]}
AllowedIPs = 10.9.0.$m/32, fd09::$m/128
Endpoint = 192.0.2.$m:5182$m
END
  chmod 600 "/etc/wireguard/wg-$end.conf"
}

# up END IMPLEMENTATION: stock wg-quick with that userspace program.
up() { WG_QUICK_USERSPACE_IMPLEMENTATION=$2 in_ns "$1" wg-quick up "wg-$1"; }

two_ends() {
  link left 192.0.2.1/24,2001:db8::1/64 right 192.0.2.2/24,2001:db8::2/64
  conf left right
  conf right left
}
