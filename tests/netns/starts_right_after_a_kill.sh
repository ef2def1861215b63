#!/usr/bin/env bash
# Whatever is killed can be started again at once, by the same name, though the kernel still takes the
# killed one's interface apart.
#
#   host 192.0.2.2 ──── 192.0.2.1 world
#        10.100.0.1 ──── 10.100.0.2 member
source "$(dirname "$0")/up_lib.sh"
make_host
link host 10.100.0.1/24 member 10.100.0.2/24
conf wg0 <<'CONF'
[Interface]
PrivateKey = @A
Address = 10.9.0.2/24
[Peer]
PublicKey = @b
AllowedIPs = 0.0.0.0/0, ::/0
Endpoint = 192.0.2.1:51820
CONF

# again TEXT CMD...: a process that stays, which has said TEXT when it works.
again() {
  local text=$1 round
  shift
  for round in {1..6}; do
    rm -f "$dir/again.log" # What the one before said is not to be taken for this one's.
    run_daemon again host "$GINNEL" "$@"
    eventually grep -q -e "$text" -e "^$1: " "$dir/again.log"
    grep -q "$text" "$dir/again.log" || fail "round $round of $*"
    kill -9 "$daemon"
  done
}

step "an interface for wg"
again 'ready, with' dev --foreground wg0
step "a tunnel"
for round in {1..6}; do
  in_ns host "$GINNEL" up wg0 2>"$dir/again.log" || fail "round $round of up"
  kill -9 "$(daemon_of host wg0)"
done
in_ns host "$GINNEL" down wg0
step "a gateway"
again ' ready ' gateway wg0 --lan to-member --no-kill-switch
again ' ready ' gateway wg0 --lan to-member
in_ns host "$GINNEL" killswitch off
step "a server, by the name of its interface"
again 'ready interface=wg0 ' server --listen 192.0.2.2:51820
