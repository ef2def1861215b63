#!/usr/bin/env bash
# In a real fish, `ginnel completion fish` completes verbs, flags and values.
source "$(dirname "$0")/lib.sh"

ginnel completion fish >"$dir/completion.fish"

# completes "LINE" "EXPECTED...": what fish offers at the end of the line.
completes() {
  local offered
  offered=$(fish --no-config -c "source $dir/completion.fish; complete -C '$1'" | cut -f1 | paste -sd " ")
  [[ $offered == "$2" ]] || fail "\"$1\" offers \"$offered\", not \"$2\""
}

step "verbs"
completes "ginnel genk" "genkey"
completes "ginnel versio" "version"
completes "ginnel xyz" ""

step "flags"
completes "ginnel version --j" "--json"
completes "ginnel genkey --" "--help"

step "values"
completes "ginnel completion " "bash fish zsh"
completes "ginnel completion z" "zsh"
