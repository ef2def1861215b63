#!/usr/bin/env bash
# In the background, `ginnel dev` tells the system's log what it would say on standard error: that it
# is ready, what it refused, and why it ends. Without a log it works as well.
source "$(dirname "$0")/dev_lib.sh"
namespace left
mkdir "$dir/"{upper,work}
mount -t overlay -o "lowerdir=/dev,upperdir=$dir/upper,workdir=$dir/work" overlay /dev
rm -f /dev/log

step "nobody keeps a log"
in_ns left "$GINNEL" dev mute
in_ns left wg set mute listen-port 4000
rm /var/run/wireguard/mute.sock
eventually no_link left mute

step "somebody does"
socat -u UNIX-RECVFROM:/dev/log,fork "OPEN:$dir/system.log,creat,append" &
eventually test -S /dev/log
in_ns left "$GINNEL" dev ours
says() { eventually grep -aqE "^<30>.*ginnel\[[0-9]+\]: .*$1" "$dir/system.log"; }
says 'interface ours: ready'
in_ns left "$GINNEL" dev other
in_ns left wg set other listen-port 5000
refute in_ns left wg set ours listen-port 5000
eventually grep -aq '<28>.*5000' "$dir/system.log"
rm /var/run/wireguard/ours.sock
says 'ours.sock was removed'
ip -n left link del other
says 'interface other was deleted'
