#!/usr/bin/env bash
# Fetches Debian's systemd-resolved for tests and prints the folder it lies in. It is unpacked, never
# installed: installed, it would take over /etc/resolv.conf of the machine.
#
#   unpacked-resolved.sh prepare    fetch it into the cache, once
#   unpacked-resolved.sh            where it is
set -euo pipefail

cache=${XDG_CACHE_HOME:-/var/cache}/ginnel/resolved
if [[ ${1:-} == prepare && ! -e $cache/lib/systemd/systemd-resolved ]]; then
  mkdir -p "${cache%/*}"
  exec 9>"$cache.lock"
  flock 9 # Another may be at it, and be done when we get here.
  if [[ ! -e $cache/lib/systemd/systemd-resolved ]]; then
    new=$(mktemp -d "$cache.XXXXXX")
    # shellcheck disable=SC2064  # As it is here.
    trap "rm -rf '$new'" EXIT
    fetch() { (cd "$new" && apt-get -q -o APT::Sandbox::User=root download systemd-resolved >/dev/null); }
    fetch || { apt-get -q update >/dev/null && fetch; } ||
      { echo "unpacked-resolved: cannot download systemd-resolved; is there a Debian mirror?" >&2; exit 1; }
    dpkg -x "$new"/*.deb "$new"
    rm "$new"/*.deb
    chmod 755 "$new"
    rm -rf "$cache"
    mv "$new" "$cache"
  fi
fi
[[ -e $cache/lib/systemd/systemd-resolved ]] ||
  { echo "unpacked-resolved: not there yet; run \"$0 prepare\" where there is a network" >&2; exit 1; }
echo "$cache"
