#!/usr/bin/env bash
# The commands of a file run in its order and at their time, with "%i" replaced everywhere and '#' and
# '=' left alone; PreDown that fails keeps the tunnel up, PostDown that fails finds it gone.
source "$(dirname "$0")/up_lib.sh"
namespace host
conf wg0 <<CONF
[Interface]
PrivateKey = @A
Address = 10.9.0.2/24
PreUp = echo "1 %i %i #x=y \$(cat /sys/class/net/%i/operstate)" >>$dir/order
PreUp = wg set %i listen-port 51999; echo "2 \$(ip -br addr show dev %i | wc -w)" >>$dir/order
PostUp = echo "3 \$(ip -br -4 addr show dev %i | tr -s ' ' | cut -d ' ' -f 3)" >>$dir/order
PostUp = test ! -e $dir/stop; echo "4 \$INTERFACE \$CONFIG_FILE" >>$dir/order
PreDown = test ! -e $dir/stop
PreDown = echo "5 \$(ip -br -4 addr show dev %i | wc -l)" >>$dir/order
PostDown = test ! -e /sys/class/net/%i && echo "6 gone" >>$dir/order
PostDown = test ! -e $dir/end
CONF

step "up and down"
in_ns host "$GINNEL" up wg0
[[ $(in_ns host wg show wg0 listen-port) == 51999 ]] || fail "what PreUp set was lost"
touch "$dir/stop"
status=0
in_ns host "$GINNEL" down wg0 2>"$dir/said" || status=$?
((status == 1)) || fail "status $status"
grep 'wg0.conf:8: PreDown: the command ended with 1' "$dir/said"
in_ns host wg show wg0 >/dev/null
rm "$dir/stop"
in_ns host "$GINNEL" down wg0
diff - "$dir/order" <<'END'
1 wg0 wg0 #x=y down
2 2
3 10.9.0.2/24
4 wg0 /etc/wireguard/wg0.conf
5 1
6 gone
END

step "PostDown that fails"
in_ns host "$GINNEL" up wg0
touch "$dir/end"
refute in_ns host "$GINNEL" down wg0 2>/dev/null
refute in_ns host ip link show wg0 2>/dev/null
rm "$dir/end"
in_ns host "$GINNEL" up wg0
in_ns host "$GINNEL" down wg0
