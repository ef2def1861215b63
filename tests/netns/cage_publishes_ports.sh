#!/usr/bin/env bash
# A server in a cage is reached through published ports of the host, by either family of its loopback,
# whole and both ways, and by nothing else.
source "$(dirname "$0")/cage_lib.sh"
make_world
head -c 3000000 /dev/urandom >"$own/big"
chmod 644 "$own/big"

step "a web server"
start_cage --publish 8080 --publish 192.0.2.2:8081:8080 -- \
  python3 -m http.server --directory "$own" --bind 127.0.0.1 8080 >"$dir/web.log" 2>&1
for place in 127.0.0.1:8080 192.0.2.2:8081; do
  eventually in_ns host curl -fsS -m 5 -o /dev/null "http://$place/big"
  in_ns host curl -fsS -m 10 "http://$place/big" | cmp - "$own/big"
done
refute in_ns world curl -fsS -m 2 "http://192.0.2.2:8080/big" 2>&1
in_ns world curl -fsS -m 10 "http://192.0.2.2:8081/big" | cmp - "$own/big"

step "many at once"
for _ in {1..20}; do
  in_ns host curl -fsS -m 20 "http://127.0.0.1:8080/big" | cmp - "$own/big" &
  jobs+=("$!")
done
for one in "${jobs[@]}"; do wait "$one"; done

step "a port that another has"
expect 6 cage_with --publish 8080 -- true 2>"$dir/taken.txt"
grep -q 'listen on 127.0.0.1:8080 by TCP' "$dir/taken.txt" || fail "$(cat "$dir/taken.txt")"
kill "$job"
wait "$job" || true

step "a server on the other loopback, which echoes and closes first"
start_cage --publish '[::1]:7070:7' -- \
  socat -t 5 'TCP6-LISTEN:7,bind=[::1],fork' EXEC:cat
echo_back() { [[ $(echo hello | in_ns host socat -t 5 - 'TCP6:[::1]:7070') == hello ]]; }
eventually echo_back
[[ $(head -c 300000 "$own/big" | in_ns host socat -t 5 - 'TCP6:[::1]:7070' | md5sum) == \
  "$(head -c 300000 "$own/big" | md5sum)" ]] || fail "the echo differs"
kill "$job"

step "nobody listens inside"
start_cage --publish 9090 -- sleep 1000
connects() { in_ns host bash -c ': </dev/tcp/127.0.0.1/9090'; }
eventually connects
[[ -z $(echo x | in_ns host timeout 5 socat - TCP:127.0.0.1:9090 2>/dev/null) ]] || fail "an answer"
kill "$job"

step "wrong spellings"
for text in 0 65536 x 1:2:3:4 ::1:80; do expect 2 cage_with --publish "$text" -- true 2>/dev/null; done
