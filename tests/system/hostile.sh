#!/usr/bin/env bash
# Who means harm at the public listener: each of these is refused with a status of its own and a problem document that names the field, none
# is a 5xx, none writes a line of its own into the log, and the service goes on.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/service_lib.sh"
declare -A url admin pid

serve d attuned --log "file://$SCRATCH/log" --store memory: --write-key secret --signing-key key --static gift-card \
  --rate-per-customer 1000
sign() { printf '%s' "$1" | openssl dgst -sha256 -hmac "${2:-key}" -r | cut -d' ' -f1; }
many() { head -c "$1" /dev/zero | tr '\0' "$2"; }
rec=${url[d]}/v1/recommendations events="${url[d]}/v1/events?key=secret"
asked=0
refused() { # refused STATUS FIELD WHAT curl's arguments…
  local status=$1 field=$2 what=$3 got
  shift 3
  asked=$((asked + 1))
  got=$(curl -sS --max-time 30 --path-as-is -o answer -D headers -w '%{http_code} %{content_type}' "$@") || fail "$what: no answer"
  expect "$status application/problem+json" "$got" "$what: $(head -c 300 answer)"
  jq -e . answer >/dev/null || fail "$what: not JSON: $(cat answer)"
  expect "$status $field" "$(jq -r '"\(.status) \(.field // "")"' answer)" "$what: $(cat answer)"
  [ "$(wc -c <answer)" -lt 9000 ] || fail "$what: an answer of $(wc -c <answer) bytes"
}
event() { refused "$1" "$2" "$3" "$events" -H 'Content-Type: application/json' --data-binary "$4"; } # event STATUS FIELD WHAT BODY
body() { refused "$1" "$2" "$3" "$events" -H 'Content-Type: application/json' --data-binary @body "${@:4}"; } # of the file `body`

# Parameters.
refused 400 n "no items" "$rec?n=0"
refused 400 n "items below none" "$rec?n=-1"
refused 400 n "beyond any integer" "$rec?n=99999999999999999999999999"
refused 400 n "a float" "$rec?n=1e2"
refused 400 n "a NUL behind a number" "$rec?n=10%00"
refused 400 budget_ms "an eternal budget" "$rec?budget_ms=86400000"
refused 400 customer "a NUL in a name" "$rec?customer=anon-%00"
refused 400 customer "no UTF-8 in a name" "$rec?customer=anon-%ff%fe"
refused 400 customer "an overlong slash" "$rec?customer=anon-%c0%af"
refused 400 customer "a surrogate in UTF-8" "$rec?customer=anon-%ed%a0%80"
refused 400 customer "a long name" "$rec?customer=anon-$(many 200 x)"
refused 400 customer "a name twice" "$rec?customer=anon-1&customer=anon-2"
refused 400 customer "a broken escape" "$rec?customer=%zz"
refused 400 slot "a long slot" "$rec?slot=$(many 300 x)"
refused 400 recent "many items" "$rec?recent=$(seq -s, 1 300)"
refused 400 recent "items in a broken array" "$rec?recent=%5B%22a%22"
refused 400 recent "arrays in arrays" "$rec?recent=$(for _ in $(seq 1000); do printf %%5B; done)"
refused 400 after "no token" "$rec?after=nonsense"
token=$(post "$events" '{"type":"view","customer":"anon-1","item":"a"}' | jq -r .token)
refused 400 after "a thousand tokens in one" "$rec?customer=anon-1&after=$token,$(many 1000 ,)"
refused 414 "" "a thousand tokens" "$rec?customer=anon-1&after=$(for _ in $(seq 1000); do printf '%s,' "$token"; done)$token"
refused 400 "" "a hundred parameters" "$rec?$(for i in $(seq 100); do printf 'p%s=1&' "$i"; done)"
refused 400 '<script>' "a parameter that is none" "$rec?%3Cscript%3E=alert(1)"

# Who is who.
refused 403 customer "somebody else, unsigned" "$rec?customer=ana"
refused 403 customer "somebody else, signed for me" "$rec?customer=ana&signature=$(sign bob)"
refused 403 customer "signed with a guessed key" "$rec?customer=ana&signature=$(sign ana guess)"
refused 403 customer "a signature with a letter more" "$rec?customer=ana&signature=$(sign ana)a"
refused 403 customer "half a signature" "$rec?customer=ana&signature=$(sign ana | cut -c1-32)"
refused 403 customer "a long signature" "$rec?customer=ana&signature=$(many 4000 a)"
refused 403 why "reasons, unsigned" "$rec?customer=anon-1&why=1"
refused 401 key "no write key" "${url[d]}/v1/events" -d '{"type":"view","customer":"anon-1","item":"a"}'
refused 401 key "a wrong write key" "${url[d]}/v1/events?key=secre" -d '{"type":"view","customer":"anon-1","item":"a"}'
event 403 customer "identify, unsigned" '{"type":"identify","customer":"anon-1","alias":"anon-2"}'
event 403 customer "forget, unsigned" '{"type":"forget","customer":"anon-1"}'
event 403 customer "consent, unsigned" '{"type":"consent","customer":"anon-1","granted":false}'
event 403 customer "another in a batch" '[{"type":"view","customer":"anon-1","item":"a"},{"type":"view","customer":"ana","item":"a"}]'

# Bodies.
event 400 "" "nothing" ''
event 400 type "an empty object" '{}'
event 400 type "a type twice" '{"type":"view","customer":"anon-1","type":"click","item":"a"}'
event 400 __proto__ "an unknown key" '{"type":"view","customer":"anon-1","item":"a","__proto__":{}}'
event 400 customer "a number for a name" '{"type":"view","customer":1,"item":"a"}'
event 400 customer "a NUL, escaped" '{"type":"view","customer":"anon-\u0000","item":"a"}'
event 400 customer "half a surrogate" '{"type":"view","customer":"anon-\ud800","item":"a"}'
printf '{"type":"view","customer":"anon-\xff","item":"a"}' >body
body 400 "" "no UTF-8"
event 400 quantity "many of them" '{"type":"cart_add","customer":"anon-1","item":"a","quantity":1000000000}'
event 400 price "not a number" '{"type":"cart_add","customer":"anon-1","item":"a","price":"NaN"}'
event 400 time "the year 20000" '{"type":"view","customer":"anon-1","item":"a","time":568971820800000}'
event 400 time "tomorrow" "{\"type\":\"view\",\"customer\":\"anon-1\",\"item\":\"a\",\"time\":$(date -d tomorrow +%s)000}"
event 400 properties "properties nested deep" "{\"type\":\"view\",\"customer\":\"anon-1\",\"item\":\"a\",\"properties\":$(many 5000 '{' | sed 's/{/{"a":/g')1$(many 5000 '}')}"
event 400 properties "large properties" "{\"type\":\"view\",\"customer\":\"anon-1\",\"item\":\"a\",\"properties\":{\"p\":\"$(many 20000 x)\"}}"
event 400 "" "a tower of arrays" "$(many 100000 '[')"
(printf '{"type":"purchase","customer":"anon-1","order":"o","items":[' && for _ in $(seq 2001); do printf '{"item":"a"},'; done && printf '{"item":"a"}]}') >body
body 400 items "2,002 lines of an order"
(printf '[' && for i in $(seq 10001); do printf '{"type":"view","customer":"anon-1","item":"a"},'; done && printf '{}]') >body
body 400 "" "10,002 events"
many 10000000 ' ' >body
body 413 "" "10 MB"
gzip -9 <body >bomb && mv bomb body
body 413 "" "10 MB in 10 KB of gzip" -H 'Content-Encoding: gzip'
echo nonsense >body
body 400 "" "no gzip" -H 'Content-Encoding: gzip'
body 415 "" "a coding nobody knows" -H 'Content-Encoding: br'
refused 415 Content-Type "another kind of body" "$events" -H 'Content-Type: application/xml' -d '<event/>'

# The protocol.
refused 431 "" "a long header" "$rec" -H "X-Long: $(many 9000 x)"
refused 405 "" "another method" -X DELETE "$events"
refused 404 "" "up the tree" "${url[d]}/v1/../../../etc/passwd"
refused 404 "" "a NUL in the path" "${url[d]}/v1/events%00"
refused 404 "" "the operator's page" "${url[d]}/metrics"
refused 404 "" "somebody's profile" "${url[d]}/v1/profiles/ana"
# Names are echoed as JSON alone, and never into a header or the log.
curl -sS -D headers -o answer "$rec?customer=anon-%0d%0aSet-Cookie:%20a=b%0a%7B%22level%22:%22error%22%7D" -H $'X-Request-Id: x" injected' -H 'Origin: https://evil.example'
expect $'anon-\r\nSet-Cookie: a=b\n{"level":"error"}' "$(jq -r .customer answer)" "a name with lines in it"
grep -qiE '^set-cookie|injected|evil' headers && fail "a header was injected: $(cat headers)"
# A body that comes by drops is waited for as long as any request, and no longer.
exec 3<>"/dev/tcp/127.0.0.1/${url[d]##*:}"
printf 'POST /v1/events?key=secret HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n{' >&3
(for _ in $(seq 20); do sleep 1 && printf ' ' >&3 || exit 0; done) 2>/dev/null &
drops=$!
begun=$SECONDS
IFS= read -r -t 25 line <&3 || fail "a slow body is not answered"
exec 3>&-
{ kill "$drops" && wait "$drops"; } 2>/dev/null || true
expect "HTTP/1.1 408 Request Timeout" "${line%$'\r'}" "a slow body"
[ $((SECONDS - begun)) -le 15 ] || fail "a slow body was waited for for $((SECONDS - begun)) s"

# It goes on, and the log holds its own lines alone.
expect 202 "$(status_of "$events&signature=$(sign ana)" -d '{"type":"view","customer":"ana","item":"a"}')" "a good event afterwards"
grep -v '^attuned: ' d.err && fail "the log holds lines of others"
[ "$(wc -l <d.err)" -lt 10 ] || fail "the log grew by who is refused: $(cat d.err)"
kill -TERM "${pid[d]}"
ended "${pid[d]}" 0 "attuned"
echo "$asked requests were refused"
