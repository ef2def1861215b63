#!/usr/bin/env bash
# What is wrong with the arguments, the file or the folder of a kill switch is one line that names it;
# neither a host without a lock nor one that has one is changed.
source "$(dirname "$0")/killswitch_lib.sh"
make_network
make_tunnel
eventually reaches host 2001:db8::1

# refused STATUS TEXT ARGS...
refused() {
  local wanted=$1 text=$2 status=0
  shift 2
  in_ns host "$GINNEL" killswitch "$@" >"$dir/out" 2>"$dir/said" || status=$?
  ((status == wanted)) || fail "$*: status $status: $(<"$dir/said")"
  [[ $(<"$dir/said") == *"$text"* && $(wc -l <"$dir/said") == 1 ]] || fail "$*: $(<"$dir/said")"
  check_unchanged host
  [[ $(guardian) == "$guarding" ]] || fail "$*: another guardian"
}
wrong() { # FILE TEXT: with that text for its peer
  conf "$1" <<<$'[Interface]\nPrivateKey = @A\nAddress = 10.9.0.2/32\n[Peer]\nPublicKey = @b\n'"$2"
}
wrong endless 'AllowedIPs = 0.0.0.0/0'
wrong named $'AllowedIPs = 0.0.0.0/0\nEndpoint = 192.0.2.1'
wrong ranged 'AllowedIPs = 10.0.0.0/33'

guarding=
for lock in without with; do
  step "$lock a lock"
  if [[ $lock == with ]]; then
    killswitch on wg0
    guarding=$(guardian)
    kill -STOP "$(watcher)" # It would put back what is taken away.
  fi
  remember host
  refused 1 'nobody.conf: there is no such file' on nobody
  refused 2 '"wg1" is one argument too many' on wg0 wg1
  refused 2 'endless.conf: no peer has an Endpoint' on endless
  refused 2 'named.conf:7: Endpoint: "192.0.2.1" is no endpoint; write one like' on named
  refused 2 'ranged.conf:6: AllowedIPs: "10.0.0.0/33" is no range of addresses; write one like' on ranged
  refused 2 '--allow: "10.0.0.0/33"' on --allow 10.0.0.0/33
  refused 2 '--allow: 10.0.0.1/8 has host bits set; write 10.0.0.0/8' on --allow 10.0.0.1/8
  refused 2 '--allow: 0.0.0.0/0 is everything there is; name a smaller prefix' on --allow 0.0.0.0/0
  refused 2 '--manage: "nobody" is not an IP address' on --manage nobody
  refused 2 '--dns: "dns.example" is not an IP address' on --dns dns.example
  refused 2 '--dhcp-server: "x" is not an IP address' on --dhcp-server x
  refused 2 '--fwmark: "0" is no mark; write a number such as' on --fwmark 0
  refused 2 '--fwmark: "blue" is no mark' on wg0 --fwmark blue
  refused 2 'shares bits with' on wg0 --fwmark 0x10000
  refused 2 '--split-uid: "root" is no user' on --split-uid root
  refused 2 '"../x" is no cgroup below the root' on --split-cgroup ../x
  refused 2 '--split-dns: name the programs' on --split-dns
  refused 6 'make directory /etc/passwd: File exists' on --state-dir /etc/passwd --confirm 5
  refused 1 'no change waits to be confirmed' confirm
  refused 2 '--confirm: "9999" is not a number from 0 to 3600' on --confirm 9999
  refused 6 'make directory /etc/passwd: File exists' on --state-dir /etc/passwd
  refused 2 'unknown flag --bogus' on --bogus
  refused 2 '"now" is one argument too many' off now
  refused 1 'no change waits to be confirmed' confirm
  refused 2 'did you mean "killswitch on"' onn
done
kill -CONT "$(watcher)"
armed
