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
while IFS= read -r line; do
  read -ra words <<<"${line//%i/wg0}"
  # Understood, and then refused, because there is no such file.
  status=0
  "${words[@]}" >"$dir/said" 2>&1 || status=$?
  ((status == 1)) || fail "${words[*]}: status $status: $(<"$dir/said")"
  grep -q 'wg0.conf: there is no such file' "$dir/said" || fail "${words[*]}: $(<"$dir/said")"
done < <(sed -n 's/^Exec[A-Za-z]*=//p' "$prefix/lib/systemd/system/ginnel-up@.service")
