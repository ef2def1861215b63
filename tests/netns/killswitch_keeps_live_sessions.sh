#!/usr/bin/env bash
# A session of management that is open when the lock comes goes on, though only the server speaks:
# over IPv4 and IPv6, whether or not connections were tracked before, and by a change of the lock. A
# connection that was opened towards management does not. One to a network that is allowed goes on
# where a change allows more.
source "$(dirname "$0")/killswitch_lib.sh"
make_network
ip -n world addr add 192.0.2.9/24 dev to-host
ip -n world addr add 2001:db8::9/64 dev to-host

# serve NS PORT, hear NAME ADDRESS FROM PORT: one who speaks five times a second, and one who listens.
serve() {
  in_ns "$1" socat "TCP6-LISTEN:$2,reuseaddr,fork,ipv6only=0" SYSTEM:"while echo tick; do sleep 0.2; done" \
    2>"$dir/serve$2.log" &
  eventually in_ns "$1" bash -c "ss -ltnH 'sport = $2' | grep :$2"
}
hear() {
  in_ns world socat -u "TCP:$2:$4,bind=$3" "OPEN:$dir/$1,creat,append" 2>"$dir/$1.log" &
  eventually grep -q tick "$dir/$1"
}
# goes_on NAME: it hears five more.
goes_on() {
  local before
  before=$(wc -l <"$dir/$1")
  more() { [[ $(wc -l <"$dir/$1") -ge $((before + 5)) ]]; }
  wait_for 8 more "$1"
}
serve host 8022
hear four 192.0.2.2 192.0.2.9 8022
hear six '[2001:db8::2]' '[2001:db8::9]' 8022
hear stranger 192.0.2.2 192.0.2.1 8022

step "one that was opened towards management"
in_ns world socat -u TCP-LISTEN:8044,reuseaddr,bind=192.0.2.9 "OPEN:$dir/outward,creat,append" 2>"$dir/outward.log" &
eventually in_ns world bash -c 'ss -ltnH "sport = 8044" | grep :8044'
in_ns host socat -u SYSTEM:"while echo tick; do sleep 0.2; done" TCP:192.0.2.9:8044 2>"$dir/out.log" &
eventually grep -q tick "$dir/outward"

step "the lock comes, and the sessions go on"
killswitch on --manage 192.0.2.9/32 --manage 2001:db8::9/128
armed
capture after world to-host
goes_on four
goes_on six
marker after
[[ $(count after 'src host 192.0.2.2 and tcp dst port 8044') == 0 ]]
[[ $(count after 'src host 192.0.2.2 and dst host 192.0.2.1 and tcp src port 8022') == 0 ]]

step "and by changes of it"
killswitch on --manage 192.0.2.9/32 --manage 2001:db8::9/128 --allow 203.0.113.0/24
goes_on four
goes_on six

step "without the lock the kernel sees only one who speaks: it takes him for who began"
killswitch off
in_ns host nft 'add table inet track; add chain inet track in { type filter hook input priority 0; }; add rule inet track in ct state new counter'
hear later 192.0.2.2 192.0.2.9 8022
goes_on later
killswitch on --manage 192.0.2.9/32
armed
goes_on later
killswitch off

step "one that was opened here, where only the other end speaks"
serve world 8055
killswitch on --allow 198.51.100.0/24
in_ns host socat -u TCP:198.51.100.1:8055 "OPEN:$dir/allowed,creat,append" 2>"$dir/allowed.log" &
eventually grep -q tick "$dir/allowed"
killswitch on --allow 198.51.100.0/24 --allow 203.0.113.0/24
armed
goes_on allowed
killswitch off
