#!/usr/bin/env bash
# Keys made by ginnel are keys to stock `wg` and the other way round; wrong input is refused alike;
# a secret that lands in a file others can read brings a warning.
source "$(dirname "$0")/lib.sh"

step "both derive the same public key"
for _ in {1..50}; do
  ours=$(ginnel genkey)
  [[ $(wg pubkey <<<"$ours") == "$(ginnel pubkey <<<"$ours")" ]] || fail "wg derives another key"
  theirs=$(wg genkey)
  [[ $(wg pubkey <<<"$theirs") == "$(ginnel pubkey <<<"$theirs")" ]] || fail "we derive another key"
  psk=$(ginnel genpsk) # Not clamped: any 32 bytes are a private key to pubkey.
  [[ $(wg pubkey <<<"$psk") == "$(ginnel pubkey <<<"$psk")" ]] || fail "not clamped when used"
done

step "both refuse the same input, with the same exit code"
key=$(wg genkey)
inputs=("" "$key" " $key" "$key " "$key"$'\n\n\t\r\n' "$key$key" "$key x" "${key%=}" "${key%?=}B=" x)
refused=0
for input in "${inputs[@]}"; do
  ours=0 theirs=0
  printf %s "$input" | ginnel pubkey >"$dir/ours" 2>"$dir/why" || ours=$?
  printf %s "$input" | wg pubkey >"$dir/theirs" 2>/dev/null || theirs=$?
  [[ $ours == "$theirs" ]] || fail "wg exits $theirs and we $ours for \"$input\""
  cmp "$dir/ours" "$dir/theirs"
  [[ $ours == 0 ]] || { refused=$((refused + 1)); [[ -s $dir/why ]]; }
done
((refused >= 7)) || fail "only $refused of the inputs were refused"

step "a warning where others could read"
umask 022
ginnel genkey >"$dir/open.key" 2>"$dir/warning"
grep -q 'umask 077' "$dir/warning" || fail "no warning"
umask 077
ginnel genkey >"$dir/closed.key" 2>"$dir/warning"
[[ ! -s $dir/warning ]] || fail "a warning without reason"
ginnel genkey 2>"$dir/warning" | cat >/dev/null
[[ ! -s $dir/warning ]] || fail "a warning for a pipe"
[[ $(wc -c <"$dir/closed.key") == 45 ]]

step "a full disk is an error"
refute eval 'ginnel genkey >/dev/full'
