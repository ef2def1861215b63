#!/usr/bin/env bash
# With one, two and four data threads, three clients at once have every byte right, TCP and UDP of
# both families, while peers come and go, prefixes move, the MTU changes and a client changes its port.
#
#   client1 192.0.2.1 ────┐
#   client2 198.51.100.1 ─┤ hub        inside: 10.9.0.1-3, fd09::1-3 ──── 10.9.0.9, fd09::9
#   client3 203.0.113.1 ──┘
source "$(dirname "$0")/dev_lib.sh"
nets=([1]=192.0.2 [2]=198.51.100 [3]=203.0.113)
hub_key=$(wg genkey)
hub_public=$(wg pubkey <<<"$hub_key")
printf '[Interface]\nPrivateKey = %s\nListenPort = 51820\n' "$hub_key" >"$dir/hub.conf"
for n in 1 2 3; do
  link "client$n" "${nets[n]}.1/24" hub "${nets[n]}.9/24"
  key=$(wg genkey)
  public[client$n]=$(wg pubkey <<<"$key")
  printf '[Peer]\nPublicKey = %s\nAllowedIPs = 10.9.0.%s/32, fd09::%s/128\n' "${public[client$n]}" "$n" "$n" \
    >>"$dir/hub.conf"
  run_daemon "client$n" "client$n" "$GINNEL" dev "wg$n" --foreground
  eventually in_ns "client$n" wg show "wg$n"
  in_ns "client$n" wg set "wg$n" private-key <(echo "$key") peer "$hub_public" \
    endpoint "${nets[n]}.9:51820" allowed-ips 10.9.0.9/32,fd09::9/128
  address "client$n" "wg$n" "10.9.0.$n/24,fd09::$n/64"
  ip -n "client$n" link set "wg$n" up
done

serve hub
sockets() { in_ns hub ss -Hlun "sport = :$1" | wc -l; }
# Strangers come, take prefixes that are still somebody's, and go again.
configure() {
  local round key
  for round in {1..15}; do
    key=$(wg genkey | wg pubkey)
    in_ns hub wg set wg9 peer "$key" allowed-ips "10.8.0.0/16,fd08::/16" endpoint 192.0.2.77:9
    in_ns hub wg set wg9 peer "${public[client1]}" allowed-ips 10.9.0.1/32,fd09::1/128,10.8.0.0/24
    in_ns hub wg set wg9 peer "$key" remove
    ip -n hub link set wg9 mtu $((1380 + round))
    in_ns client2 wg set wg2 listen-port $((40000 + round))
  done
}

for workers in 1 2 4; do
  step "$workers"
  run_daemon hub hub "$GINNEL" dev wg9 --foreground --workers "$workers"
  hub=$daemon
  eventually in_ns hub wg show wg9
  in_ns hub wg setconf wg9 "$dir/hub.conf"
  address hub wg9 10.9.0.9/24,fd09::9/64
  ip -n hub link set wg9 up
  [[ $(sockets 51820) == 32 ]] || fail "$(sockets 51820) sockets"
  talking=()
  for n in 1 2 3; do
    # The client still has the session of the hub before this one, so it has to forget that.
    ip -n "client$n" link set "wg$n" down
    ip -n "client$n" link set "wg$n" up
    ip -n "client$n" addr replace "fd09::$n/64" dev "wg$n"
    for inside in 10.9.0.9 fd09::9; do
      { echoes "client$n" tcp "$inside" 8000000 && echoes "client$n" burst "$inside" 1000 200; } &
      talking+=($!)
    done
  done
  configure
  for one in "${talking[@]}"; do wait "$one"; done
  [[ $(in_ns hub wg show wg9 peers | wc -l) == 3 && $(sockets 51820) == 32 ]]
  stop "$hub"
  [[ $status == 0 ]]
done
