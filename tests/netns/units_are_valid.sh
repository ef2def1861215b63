#!/usr/bin/env bash
# What `cmake --install` puts into place works there: systemd finds nothing wrong with the units, and
# the commands in them are ones that the installed program understands.
source "$(dirname "$0")/lib.sh"

step "installed"
DESTDIR=$dir/stage cmake --install "${GINNEL%/bin/*}" >"$dir/install.log"
prefix=$(sed -n 's/^CMAKE_INSTALL_PREFIX:PATH=//p' "${GINNEL%/bin/*}/CMakeCache.txt")
mount --bind "$dir/stage$prefix" "$prefix"
cmp "$GINNEL" "$prefix/bin/ginnel"
"$prefix/bin/ginnel-dev" --help >/dev/null
[[ -s $prefix/share/doc/ginnel/up.md ]]

step "the units"
units=("$prefix"/lib/systemd/system/*.service)
((${#units[@]} > 0))
for unit in "${units[@]}"; do
  systemd-analyze verify --man=no "${unit/@.service/@wg0.service}" >"$dir/verify.log" 2>&1 ||
    fail "${unit##*/}: $(<"$dir/verify.log")"
  [[ ! -s $dir/verify.log ]] || fail "${unit##*/}: $(<"$dir/verify.log")"
done

step "their commands"
# says UNIT KEY STATUS TEXT: the unit's command is understood, and ends so.
says() {
  local line status=0
  line=$(sed -n "s/^$2=//p" "$prefix/lib/systemd/system/$1.service")
  [[ -n $line ]] || fail "$1 has no $2"
  line=${line//%i/wg0}
  read -ra words <<<"${line//\$FLAGS/--lan lo}"
  "${words[@]}" >"$dir/said" 2>&1 || status=$?
  ((status == $3)) || fail "${words[*]}: status $status: $(<"$dir/said")"
  [[ $(<"$dir/said") == *"$4"* ]] || fail "${words[*]}: $(<"$dir/said")"
}
says ginnel-up@ ExecStart 1 'wg0.conf: there is no such file'
says ginnel-up@ ExecReload 1 'wg0.conf: there is no such file'
says ginnel-gateway@ ExecStart 1 'wg0.conf: there is no such file'
says ginnel-gateway@ ExecReload 4 'start a gateway'
says ginnel-server ExecStart 2 'unknown flag --lan'
says ginnel-server ExecReload 4 'start it with'
says ginnel-lock ExecStart 0 ''

step "the lock comes before the network, and the gateway after the lock"
has() { grep -Eqx "$2" "$prefix/lib/systemd/system/$1.service" || fail "$1 has no line $2"; }
has ginnel-lock 'DefaultDependencies=no'
has ginnel-lock 'Before=(.* )?network-pre\.target.*'
has ginnel-lock 'Wants=(.* )?network-pre\.target.*'
has ginnel-lock 'FileDescriptorStoreMax=[1-9].*'
has ginnel-gateway@ 'After=(.* )?ginnel-lock\.service.*'
for unit in ginnel-lock ginnel-gateway@; do
  has "$unit" 'KillMode=process' # The guardian outlives what started it.
  has "$unit" 'Restart=on-failure'
done
