#!/usr/bin/env bash
# On a host that is locked to a tunnel whose endpoint is a name, the tunnel comes up, is reloaded and is
# locked again without a question that could not leave: by the address that the lock lets out. As at
# boot, where ginnel-lock.service comes first.
source "$(dirname "$0")/killswitch_lib.sh"
make_network
make_tunnel
in_ns host "$GINNEL" down wg0
sed -i 's/^Endpoint.*/Endpoint = server.example:51820/' /etc/wireguard/wg0.conf
cp /etc/hosts "$dir/hosts"
echo nameserver 192.0.2.1 >/etc/resolv.conf
export WG_ENDPOINT_RESOLUTION_RETRIES=0
up() { in_ns host "$GINNEL" up wg0 2>"$dir/said"; }

step "without a lock the name is asked for"
refute up
echo 192.0.2.1 server.example >>/etc/hosts
killswitch on wg0
cp "$dir/hosts" /etc/hosts

step "up"
up || fail "$(<"$dir/said")"
grep -q 'the host is locked, so server.example is 192.0.2.1' "$dir/said"
eventually through_tunnel
armed

step "reload, and another lock"
in_ns host "$GINNEL" reload wg0
killswitch on wg0 --allow 10.100.0.0/24
killswitch status >"$dir/status"
grep -q 'endpoint: 192.0.2.1:51820' "$dir/status"
through_tunnel

step "a lock that is none of this tunnel's, or only a record, says nothing of it"
in_ns host "$GINNEL" down wg0
cp /var/lib/ginnel/killswitch/policy "$dir/policy"
killswitch off
unwatched() { [[ -z $(watcher) ]]; }
eventually unwatched # It would take the record for a lock.
cp "$dir/policy" /var/lib/ginnel/killswitch/policy
refute up
rm /var/lib/ginnel/killswitch/policy
killswitch on
refute up
killswitch off
