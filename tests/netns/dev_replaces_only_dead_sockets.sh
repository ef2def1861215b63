#!/usr/bin/env bash
# A socket that nobody listens on is replaced at start, and so is that of a program whose interface
# has just been deleted, once it has left; one that answers makes the start fail, and neither
# interface nor socket of the running one is touched. Of five that start at once, one does.
source "$(dirname "$0")/dev_lib.sh"
namespace left
mkdir -p /var/run/wireguard

step "a stale socket, as kill -9 leaves it"
run_daemon first left "$GINNEL" dev ours --foreground
eventually in_ns left wg show ours
stop "$daemon" KILL
[[ -S /var/run/wireguard/ours.sock ]]
run_daemon second left "$GINNEL" dev ours --foreground --workers 2
eventually in_ns left wg show ours
ip -n left link set ours mtu 1300

step "a live one"
said=$(in_ns left "$GINNEL" dev ours --foreground 2>&1) && fail "a second daemon started"
[[ $(wc -l <<<"$said") == 1 && $said == *ours*"(process "*")"* ]] || fail "it said: $said"
in_ns left wg show ours >/dev/null
[[ $(in_ns left cat /sys/class/net/ours/mtu) == 1300 ]] || fail "the second set another MTU"
running "$daemon"
said=$(in_ns left ginnel-dev ours 2>&1) && fail "a second daemon started in the background"
[[ $said == *ours* ]] || fail "it said: $said"
said=$(in_ns left "$GINNEL" dev ours --workers 1 2>&1) && fail "a second daemon started"
[[ $said == *ours* ]] || fail "it said: $said"

step "five at once"
for n in {1..5}; do
  in_ns left "$GINNEL" dev once >"$dir/once$n" 2>&1 && echo started >>"$dir/started" &
  starting[n]=$!
done
for one in "${starting[@]}"; do wait "$one" || :; done
[[ $(wc -l <"$dir/started") == 1 ]] || fail "$(cat "$dir"/once*)"
in_ns left wg show once listen-port >/dev/null

step "stopping it removes both"
stop "$daemon"
[[ $status == 0 ]] || fail "exit code $status"
[[ ! -e /var/run/wireguard/ours.sock ]]
refute in_ns left ip link show ours 2>/dev/null

step "one that is about to leave"
run_daemon leaving left "$GINNEL" dev again --foreground
leaving=$daemon
eventually in_ns left wg show again
kill -STOP "$leaving" # Busy with something else.
before=$(in_ns left cat /sys/class/net/again/ifindex)
ip -n left link del again
in_ns left "$GINNEL" dev again 2>"$dir/again.log" &
anew=$!
made_anew() { [[ $(in_ns left cat /sys/class/net/again/ifindex 2>/dev/null) != "$before" ]]; }
is_made_anew() { in_ns left ip link show again && made_anew; }
eventually is_made_anew
kill -CONT "$leaving"
wait "$anew" || fail "it does not wait: $(<"$dir/again.log")"
eventually gone "$leaving"
in_ns left wg show again listen-port >/dev/null
