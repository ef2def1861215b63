#!/usr/bin/env bash
# Asked to stop while it waits for a DNS server that does not answer, every verb that looks a name up
# ends at once, by Ctrl-C and by SIGTERM, and changes nothing.
#
#   host 192.0.2.2 ──── 192.0.2.1 world, which has a DNS server that never answers
source "$(dirname "$0")/up_lib.sh"
make_host
link host 10.100.0.2/24 member 10.100.0.3/24
# Else two minutes and a half.
printf 'nameserver 192.0.2.1\noptions timeout:30 attempts:5\n' >/etc/resolv.conf
run_daemon silent world socat -u UDP4-RECV:53,bind=192.0.2.1 "CREATE:$dir/asked"
conf wg0 <<'CONF'
[Interface]
PrivateKey = @A
Address = 10.9.0.2/32
[Peer]
PublicKey = @b
AllowedIPs = 0.0.0.0/0
Endpoint = server.example:51820
CONF
eventually reaches host 2001:db8::1
eventually reaches host 10.100.0.3
remember host

# ends_at_once VERB...: after it has asked.
ends_at_once() {
  local signal
  for signal in INT TERM; do
    step "$* ($signal)"
    : >"$dir/asked"
    ip netns exec host env --default-signal "$GINNEL" "$@" >"$dir/verb.log" 2>&1 </dev/null &
    daemon=$!
    eventually grep -aq server "$dir/asked"
    stop "$daemon" "$signal"
    ((status != 0)) || fail "it says that it succeeded"
    [[ $(<"$dir/verb.log") == *'stopped by a signal' ]] || fail "$(<"$dir/verb.log")"
    check_unchanged host
  done
}
ends_at_once up wg0
ends_at_once up --foreground wg0
ends_at_once killswitch on wg0
ends_at_once cage wg0 -- true
ends_at_once gateway wg0 --lan to-member

step "nobody is left who asks"
[[ -z $(pgrep -x ginnel || true) ]] || fail "$(pgrep -a ginnel)"
