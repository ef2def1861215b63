#!/usr/bin/env bash
# In a real bash, `ginnel completion bash` completes verbs, flags and values, and says nothing else.
source "$(dirname "$0")/lib.sh"

ginnel completion bash >"$dir/completion"
# shellcheck source=/dev/null
source "$dir/completion"
trap - ERR # compgen fails when it finds nothing, which is no error here.

# completes "LINE" "EXPECTED...": what pressing tab at the end of the line offers.
completes() {
  read -ra COMP_WORDS <<<"$1"
  [[ $1 != *' ' ]] || COMP_WORDS+=("")
  COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
  _ginnel
  [[ ${COMPREPLY[*]-} == "$2" ]] || fail "\"$1\" offers \"${COMPREPLY[*]-}\", not \"$2\""
}

step "verbs"
completes "ginnel gen" "genkey genpsk"
completes "ginnel versio" "version"
completes "ginnel xyz" ""
completes "ginnel " "$(ginnel help --json | jq -r '.verbs[].name' | cut -d' ' -f1 | awk '!seen[$0]++' | xargs)"

step "flags"
completes "ginnel version -" "--help --json"
completes "ginnel version --j" "--json"

step "values"
completes "ginnel completion " "bash zsh fish"
completes "ginnel completion z" "zsh"
completes "ginnel completion --" "--help"

step "every verb offers its own flags"
ginnel help --json | jq -r '.verbs[] | [.name, (["--help"] + [.flags[].name] | join(" "))] | @tsv' >"$dir/table"
while IFS=$'\t' read -r verb flags; do completes "ginnel $verb --" "$flags"; done <"$dir/table"
[[ -s $dir/table ]]

step "the script defines nothing but its own functions"
[[ $(bash -c "source '$dir/completion'; declare -F" | cut -d' ' -f3 | xargs) == "_ginnel _ginnel_files _ginnel_words" ]]
