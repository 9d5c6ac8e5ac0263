#!/usr/bin/env bash
# attuned, all of it in one process, over HTTP: events in, changed answers out, as the documents say.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/service_lib.sh"
declare -A url admin pid

events 3000 200 5 | attune-produce --log "file://$SCRATCH/log"
cat >rules.toml <<'TOML'
[segment.buyer]
field = "count"
type = "purchase"
at_least = 1
TOML
catalog() { seq -f '{"item":"item-%g"}' 0 "$1" >catalog.json; }
catalog 299
echo '{"item":"of-the-log"}' | attune-produce --log "file://$SCRATCH/log" --catalog
serve d attuned --log "file://$SCRATCH/log" --store "rocksdb://$SCRATCH/profiles" --model shop.model --write-key secret \
  --rules rules.toml --catalog catalog.json \
  --signing-key key --static gift-card --cors-origin https://shop.example
sign() { printf '%s' "$1" | openssl dgst -sha256 -hmac key -r | cut -d' ' -f1; }
ready() { [ "$(status_of "${admin[d]}/readyz")" = 200 ]; }
until_true ready
learned() { [ "$(metric "${admin[d]}" attune_model_events_total)" = 3000 ]; }
until_true learned

# An event changes the next answer: in one call, and by its token.
one=$(post "${url[d]}/v1/events?slot=home&n=5&key=secret" '{"type":"view","customer":"anon-1","item":"item-3"}')
expect 1 "$(jq .accepted <<<"$one")" "accepted"
expect fresh "$(jq -r .recommendations.tier <<<"$one")" "tier of one call"
expect 5 "$(jq '.recommendations.items | length' <<<"$one")" "items of one call"
expect 1 "$(jq .recommendations.profile_version <<<"$one")" "the event is in the answer"
for i in $(seq 20); do
  token=$(post "${url[d]}/v1/events?key=secret" "{\"type\":\"cart_add\",\"customer\":\"anon-2\",\"item\":\"item-$i\"}" | jq -r .token)
  answer=$(get "${url[d]}/v1/recommendations?customer=anon-2&after=$token&budget_ms=2000")
  expect "$i null" "$(jq -r '"\(.profile_version) \(.degraded)"' <<<"$answer")" "an answer with a token knows its event"
done
# A token whose event never comes: an answer in time, and it says what it waited for.
waited=$(get "${url[d]}/v1/recommendations?customer=anon-3&after=$token&budget_ms=20")
expect waiting "$(jq -r .degraded.code <<<"$waited")" "a token of another customer"
grep -q '^waiting for cart_add ' <<<"$(jq -r .degraded.detail <<<"$waited")" || fail "the detail names the event: $waited"

# Batches: an array, lines; what is no event is told by its place, the others count.
batch='{"type":"view","customer":"anon-4","item":"item-1"}
{"id":"bad-1","type":"view","customer":"anon-4","item":"item-2","price":"x"}
nonsense
{"type":"view","customer":"anon-5","item":"item-2"}'
answer=$(curl -sS "${url[d]}/v1/events?key=secret" -H 'Content-Type: text/plain' --data-binary "$batch")
expect '{"accepted":2,"rejected":[{"index":1,"id":"bad-1","field":"price","reason":"not a decimal"},{"index":2,"reason":"not a JSON object"}]}' \
  "$(jq -c . <<<"$answer")" "a batch with bad lines"
buried() { [ "$(attune-consume --log "file://$SCRATCH/log" --topics attune_dead_letters --until-end 2>/dev/null | wc -l)" = 2 ]; }
until_true buried
problem=$(post "${url[d]}/v1/events?key=secret" '{"type":"view","customer":"anon-4"}')
expect '400 item item: missing' "$(jq -r '"\(.status) \(.field) \(.detail)"' <<<"$problem")" "a single bad event is a problem that names the field"
expect 400 "$(post "${url[d]}/v1/events?key=secret&slot=home" "[$(head -n1 <<<"$batch"),$(tail -n1 <<<"$batch")]" | jq .status)" "a slot for two customers"

# Who may.
expect 401 "$(status_of "${url[d]}/v1/events" -d '{"type":"view","customer":"anon-1","item":"a"}')" "no write key"
expect 403 "$(status_of "${url[d]}/v1/events?key=secret" -d '{"type":"view","customer":"ana","item":"a"}')" "an unsigned customer"
expect 403 "$(status_of "${url[d]}/v1/events?key=secret" -H "X-Attune-Signature: $(sign bob)" -d '{"type":"view","customer":"ana","item":"a"}')" "a forged id"
expect 202 "$(status_of "${url[d]}/v1/events?key=secret" -H "X-Attune-Signature: $(sign ana)" -d '{"type":"view","customer":"ana","item":"item-9"}')" "a signed customer"
expect 403 "$(status_of "${url[d]}/v1/recommendations?customer=ana")" "reading another"
expect 200 "$(status_of "${url[d]}/v1/recommendations?customer=ana&signature=$(sign ana)&why=1")" "reading oneself, with reasons"
expect 403 "$(status_of "${url[d]}/v1/events?key=secret" -d '{"type":"identify","customer":"ana","alias":"anon-2"}')" "an unsigned identify"
expect 202 "$(status_of "${url[d]}/v1/events?key=secret&signature=$(sign ana)&alias_signature=$(sign anon-2)" -d '{"type":"identify","customer":"ana","alias":"anon-2"}')" "a signed identify"
absorbed() { [ "$(get "${admin[d]}/v1/profiles/ana" | jq '.counts.cart_add')" = 20 ]; }
until_true absorbed
# The alias leads to its root.
expect ana "$(get "${admin[d]}/v1/profiles/anon-2" | jq -r .customer)" "a profile by its alias"
# It shows nothing of her to one who has not signed it.
about() { jq -r '"\(.tier) \(.profile_version)"'; }
expect "popular 0" "$(get "${url[d]}/v1/recommendations?customer=anon-2&budget_ms=2000" | about)" "an unsigned alias"
expect "session 0" "$(get "${url[d]}/v1/recommendations?customer=anon-2&recent=item-3&budget_ms=2000" | about)" "an unsigned alias's own items count"
expect 1 "$(post "${url[d]}/v1/events?slot=home&key=secret" '{"type":"view","customer":"anon-2","item":"item-3"}' | jq .recommendations.profile_version)" "an unsigned alias in one call"
expect fresh "$(get "${url[d]}/v1/recommendations?customer=anon-2&signature=$(sign anon-2)&budget_ms=2000" | jq -r .tier)" "a signed alias"
expect fresh "$(get "${admin[d]}/v1/recommendations?customer=anon-2&budget_ms=2000" | jq -r .tier)" "the operator asks for an alias"
expect 404 "$(status_of "${url[d]}/v1/profiles/ana")" "profiles are not public"
expect 404 "$(status_of "${url[d]}/metrics")" "metrics are not public"

# CORS: the configured site alone.
curl -sS -D headers -o /dev/null "${url[d]}/v1/recommendations?customer=anon-1" -H 'Origin: https://shop.example'
grep -qi '^access-control-allow-origin: https://shop.example' headers || fail "CORS of the configured site"
curl -sS -D headers -o /dev/null "${url[d]}/v1/recommendations?customer=anon-1" -H 'Origin: https://evil.example'
grep -qi '^access-control-allow-origin' headers && fail "CORS of another site"
grep -qi '^server-timing: profile;dur=.*rank;dur=.*total;dur=' headers || fail "Server-Timing: $(cat headers)"

# The admin listener: no page of a site asks it, whatever the site, and nothing there tells a browser otherwise.
expect 403 "$(status_of -X POST "${admin[d]}/v1/refresh" -H 'Origin: https://shop.example')" "a page asks the admin listener"
expect 403 "$(status_of -X DELETE "${admin[d]}/v1/profiles/anon-1" -H 'Origin: null')" "a page of nowhere forgets"
expect 202 "$(status_of -X POST "${admin[d]}/v1/refresh" -H "Origin: ${admin[d]}")" "the admin listener's own page"
curl -sS -D headers -o /dev/null "${admin[d]}/v1/recommendations?customer=anon-1" -H "Origin: ${admin[d]}"
grep -qi '^access-control' headers && fail "CORS on the admin listener: $(cat headers)"
expect 405 "$(status_of -X OPTIONS "${admin[d]}/v1/refresh")" "no preflight on the admin listener"

# Its parameters: what is none is told, not taken for all.
for wrong in 'POST /v1/refresh?custmer=ana custmer' 'POST /v1/refresh?customer= customer' 'GET /v1/profiles/ana?items=yes items' \
  'GET /v1/profiles/ana?recnt=1 recnt' 'DELETE /v1/profiles/ana?now=1 now'; do
  read -r method path field <<<"$wrong"
  expect "400 $field" "$(get -X "$method" "${admin[d]}$path" | jq -r '"\(.status) \(.field)"')" "$wrong"
done

# Parameters: errors name them.
for wrong in n=0 n=501 n=x budget_ms=0 budget_ms=2001 after=nonsense why=maybe nonsense=1 customer=%00 slot=%FF item=%C3; do
  answer=$(get "${url[d]}/v1/recommendations?$wrong")
  expect "400 ${wrong%%=*}" "$(jq -r '"\(.status) \(.field)"' <<<"$answer")" "$wrong"
done
for type in 'Application/JSON' 'application/json ; charset=utf-8' 'TEXT/plain'; do
  expect 202 "$(status_of "${url[d]}/v1/events?key=secret" -H "Content-Type: $type" -d '{"type":"view","customer":"anon-6","item":"a"}')" "$type"
done
expect 415 "$(get "${url[d]}/v1/events?key=secret" -H $'Content-Type: image/\xff' -d x | jq .status)" "a type that is none, in JSON that is"
expect 405 "$(status_of -X PUT "${url[d]}/v1/events")" "another method"
curl -sS -D headers -o /dev/null -X PUT "${url[d]}/v1/events"
grep -qi '^allow: POST, OPTIONS' headers || fail "405 says what is allowed: $(cat headers)"
curl -sS -D headers -o /dev/null "${url[d]}/v1/events" -d '{"type":"view","customer":"anon-1","item":"a"}'
grep -qi '^www-authenticate: Attune-Key' headers || fail "401 says how to show who one is: $(cat headers)"
expect 404 "$(status_of "${url[d]}/nonsense")" "another path"
plain=$(post "${url[d]}/v1/events?slot=home&key=secret&why=0" '{"type":"view","customer":"anon-1","item":"item-3"}')
expect false "$(jq '.recommendations.items[0] | has("why")' <<<"$plain")" "why=0 in one call"

# A stream: the answer now, and again when it changes, without being asked.
curl -sSN --max-time 60 "${url[d]}/v1/stream?customer=anon-7&n=3" >stream 2>stream.err &
streaming=$!
PIDS+=("$streaming")
first() { [ "$(grep -c '^data: ' stream)" -ge 1 ]; }
until_true first
post "${url[d]}/v1/events?key=secret" '{"type":"cart_add","customer":"anon-7","item":"item-42"}' >/dev/null
second() { [ "$(grep -c '^data: ' stream)" -ge 2 ]; }
until_true second
expect 1 "$(sed -n 's/^data: //p' stream | sed -n 2p | jq .profile_version)" "the second answer knows the event"
kill "$streaming"
no_stream() { [ "$(metric "${admin[d]}" 'attune_http_streams{listener="public"}')" = 0 ]; }
until_true no_stream

# Where nobody tells of changes, a stream looks by itself: another process, beside the one that writes this store.
serve r attune-recommendd --log "file://$SCRATCH/log" --store "rocksdb://$SCRATCH/profiles" --model none.model
curl -sSN --max-time 60 "${url[r]}/v1/stream?customer=anon-8&n=3" >stream 2>stream.err &
streaming=$!
PIDS+=("$streaming")
until_true first
post "${url[d]}/v1/events?key=secret" '{"type":"cart_add","customer":"anon-8","item":"item-42"}' >/dev/null
looked() { sed -n 's/^data: //p' stream | jq -es '.[-1].profile_version == 1' >/dev/null; }
until_true looked
kill "$streaming"
kill -TERM "${pid[r]}"
ended "${pid[r]}" 0 "attune-recommendd"

# Forgetting, from the admin listener: nothing is left.
expect 202 "$(status_of -X DELETE "${admin[d]}/v1/profiles/anon-1")" "forget"
forgotten() { [ "$(get "${admin[d]}/v1/profiles/anon-1" | jq -c '.counts // "gone"')" = '{}' ]; }
until_true forgotten

# The document is served, and the metrics have good names.
expect 3.1.0 "$(get "${url[d]}/openapi.json" | jq -r .openapi)" "the contract"
command -v promtool >/dev/null && { get "${admin[d]}/metrics" | promtool check metrics || fail "promtool"; }

# SIGHUP: what was read again holds from then on, and what the log said of the catalog stands; one wrong file, and neither is taken up.
items() { [ "$(metric "${admin[d]}" attune_catalog_items)" = "$1" ]; }
until_true items 301
catalog 309
mv rules.toml right.toml
echo nonsense >rules.toml
kill -HUP "${pid[d]}"
refused() { grep -q 'what stood before stands' d.err; }
until_true refused
items 301 || fail "a catalog was taken up beside wrong rules"
mv right.toml rules.toml
kill -HUP "${pid[d]}"
until_true items 311
rm catalog.json
kill -HUP "${pid[d]}"
refused_again() { [ "$(grep -c 'what stood before stands' d.err)" = 2 ]; }
until_true refused_again
items 311 || fail "a catalog that is not there took the place of the one before"

# TERM: what was acknowledged is in the profiles, and the snapshot goes on where it stood.
kill -TERM "${pid[d]}"
ended "${pid[d]}" 0 "attuned"
attune-profile get ana --store "rocksdb://$SCRATCH/profiles" | jq -e '.counts.cart_add == 20' >/dev/null || fail "the profile after the stop"
serve d attuned --log "file://$SCRATCH/log" --store "rocksdb://$SCRATCH/profiles" --model shop.model --rate-per-address 1
ready2() { [ "$(status_of "${admin[d]}/readyz")" = 200 ]; }
until_true ready2
[ "$(metric "${admin[d]}" attune_model_events_total)" -lt 100 ] || fail "the snapshot's positions were not taken up"
expect fresh "$(get "${url[d]}/v1/recommendations?customer=ana" | jq -r .tier)" "after a restart"

# A limit by address holds for what is wrong too.
for i in $(seq 9); do expect 400 "$(status_of "${url[d]}/v1/events" -d nonsense)" "wrong, but not too often: $i"; done
limited() { [ "$(status_of "${url[d]}/v1/events" -d nonsense)" = 429 ]; }
until_true limited
expect 200 "$(status_of "${url[d]}/healthz")" "whoever asks whether it is alive is not limited"
