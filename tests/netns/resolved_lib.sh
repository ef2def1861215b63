# Sourced by scenarios with a host whose systemd-resolved answers for it.
# shellcheck shell=bash disable=SC2034,SC2154  # Set in lib.sh, or for scenarios.

# start_resolved NS LINK SERVER [DOMAIN]: Debian's own, in that namespace, on a bus that nobody else
# has. LINK was told of SERVER, as by DHCP. Its process is $daemon, and `ctl` is resolvectl there.
start_resolved() {
  resolved_in=$1
  resolved=$("$tests/unpacked-resolved.sh")
  echo 'systemd-resolve:x:989:989::/:/usr/sbin/nologin' >>/etc/passwd
  echo 'systemd-resolve:x:989:' >>/etc/group
  mkdir -p /run/systemd/resolve
  chown 989:989 /run/systemd/resolve
  chmod 755 "$dir"
  cat >"$dir/bus.conf" <<END
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path=$dir/bus</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/><allow user="*"/>
  </policy>
</busconfig>
END
  dbus-daemon --config-file="$dir/bus.conf" --nofork --nopidfile >"$dir/bus.log" 2>&1 &
  eventually test -S "$dir/bus"
  export DBUS_SYSTEM_BUS_ADDRESS=unix:path=$dir/bus
  printf '[Resolve]\nLLMNR=no\nMulticastDNS=no\nCache=no\nDNS=\nFallbackDNS=\n' >/etc/systemd/resolved.conf
  rm -f /etc/resolv.conf
  ln -s /run/systemd/resolve/stub-resolv.conf /etc/resolv.conf
  run_daemon resolved "$1" "$resolved/lib/systemd/systemd-resolved"
  eventually ctl dns "$2" "$3"
  ctl default-route "$2" yes
  [[ -z ${4:-} ]] || ctl domain "$2" "$4"
}
ctl() { in_ns "$resolved_in" "$resolved/usr/bin/resolvectl" "$@"; }
# Of links that are there: one that is gone has no line.
told() {
  ctl dns
  ctl domain
  ctl default-route
}
