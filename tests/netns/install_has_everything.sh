#!/usr/bin/env bash
# `cmake --install` puts into place the program by both its names, its units, its documents, and what
# completes its words in shells, and nothing else; a shell finds the completion there by itself.
source "$(dirname "$0")/lib.sh"
source_dir=$(sed -n 's/^CMAKE_HOME_DIRECTORY:INTERNAL=//p' "${GINNEL%/bin/*}/CMakeCache.txt")
prefix=$(sed -n 's/^CMAKE_INSTALL_PREFIX:PATH=//p' "${GINNEL%/bin/*}/CMakeCache.txt")

step "the list"
DESTDIR=$dir/stage cmake --install "${GINNEL%/bin/*}" >"$dir/install.log"
(cd "$dir/stage$prefix" && find . ! -type d) | sort >"$dir/found"
{
  printf './bin/%s\n' ginnel ginnel-dev
  for unit in "$source_dir"/packaging/systemd/*.in; do
    unit=${unit##*/}
    echo "./lib/systemd/system/${unit%.in}"
  done
  for page in "$source_dir"/docs/*.{md,svg}; do echo "./share/doc/ginnel/${page##*/}"; done
  echo ./share/bash-completion/completions/ginnel
  echo ./share/zsh/site-functions/_ginnel
  echo ./share/fish/vendor_completions.d/ginnel.fish
} | sort | diff - "$dir/found" >&2 || fail "another list"
(cd "$dir/stage" && find . ! -type d ! -path ".$prefix/*") | refute grep .

step "elsewhere than it was configured for, the units name the program that is there"
cmake --install "${GINNEL%/bin/*}" --prefix "$dir/elsewhere" >"$dir/install.log"
for unit in "$dir"/elsewhere/lib/systemd/system/*.service; do
  grep -q "^ExecStart=$dir/elsewhere/bin/ginnel " "$unit" || fail "${unit##*/}: $(grep Exec "$unit")"
done

step "the completions"
share=$dir/stage$prefix/share
"$GINNEL" completion bash | cmp - "$share/bash-completion/completions/ginnel"
"$GINNEL" completion zsh | cmp - "$share/zsh/site-functions/_ginnel"
"$GINNEL" completion fish | cmp - "$share/fish/vendor_completions.d/ginnel.fish"
# shellcheck disable=SC2016  # It is the other shell's own.
offered=$(XDG_DATA_DIRS=$share fish -c 'complete -C "ginnel killsw"')
[[ $offered == killswitch* ]] || fail "fish offers: $offered"
