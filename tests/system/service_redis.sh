#!/usr/bin/env bash
# The three daemons apart, over Redis: an answer with a token knows its event; Redis paused or gone is labelled and in time; two replicas of
# attune-recommendd that followed one log hold the same.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/service_lib.sh"
declare -A url admin pid
start_redis

log=file://$SCRATCH/log
events 2000 100 9 | attune-produce --log "$log"
serve c attune-collectd --log "$log"
serve p attune-profiled --log "$log" --store "$STORE"
serve r attune-recommendd --log "$log" --store "$STORE" --model one.model --static gift-card
serve q attune-recommendd --log "$log" --store "$STORE" --model two.model
ready() { [ "$(status_of "${admin[r]}/readyz")" = 200 ] && [ "$(status_of "${admin[q]}/readyz")" = 200 ]; }
until_true ready

for i in $(seq 20); do
  token=$(post "${url[c]}/v1/events" "{\"type\":\"cart_add\",\"customer\":\"anon-2\",\"item\":\"item-$i\"}" | jq -r .token)
  answer=$(get "${url[r]}/v1/recommendations?customer=anon-2&after=$token&budget_ms=2000")
  expect "$i null fresh" "$(jq -r '"\(.profile_version) \(.degraded) \(.tier)"' <<<"$answer")" "an answer with a token knows its event"
done
expect 404 "$(status_of "${url[c]}/v1/recommendations")" "the collector does not answer"
expect 400 "$(status_of "${url[c]}/v1/events?slot=home" -d '{"type":"view","customer":"anon-1","item":"a"}')" "a slot at the collector"
expect 404 "$(status_of "${url[r]}/v1/events" -d '{"type":"view","customer":"anon-1","item":"a"}')" "an answering daemon does not collect"

# Redis paused: every answer in time, and labelled.
kill -STOP "$(cat redis.pid)"
for i in $(seq 30); do
  answer=$(get "${url[r]}/v1/recommendations?customer=anon-2&budget_ms=50" -w '%{time_total}\n')
  jq -se '.[1] < 1 and (.[0].tier == "cached" or .[0].tier == "fresh") and (.[0].items | length) > 0' <<<"$answer" >/dev/null ||
    fail "with Redis paused, a known customer: $answer"
done
answer=$(get "${url[r]}/v1/recommendations?customer=anon-9&budget_ms=50&recent=item-1,item-2")
expect 'session store_' "$(jq -r '"\(.tier) \(.degraded.code)"' <<<"$answer" | cut -c1-14)" "with Redis paused, the client's own items"
answer=$(get "${url[r]}/v1/recommendations?customer=anon-9&budget_ms=50")
expect 'popular store_' "$(jq -r '"\(.tier) \(.degraded.code)"' <<<"$answer" | cut -c1-14)" "with Redis paused, nothing known"
curl -sSN --max-time 60 "${url[r]}/v1/stream?customer=anon-2&n=3" >mended 2>mended.err &
PIDS+=($!)
without_redis() { sed -n 's/^data: //p' mended | jq -es '.[-1].degraded.code // "" | startswith("store_")' >/dev/null; }
until_true without_redis
# The store is given a rest; who answers goes on to be ready meanwhile, for there is always an answer, and notices by himself when it is back.
rests() {
  get "${url[r]}/v1/recommendations?customer=anon-$RANDOM&budget_ms=50" >/dev/null
  [ "$(metric "${admin[r]}" attune_store_breaker_open)" = 1 ]
}
until_true rests
ready || fail "while the store rests, /readyz says it is not ready"
kill -CONT "$(cat redis.pid)"
works() { ! rests; }
until_true works
mended() { sed -n 's/^data: //p' mended | jq -es '.[-1] | .tier == "fresh" and (has("degraded") | not or .degraded == null)' >/dev/null; }
until_true mended
healed() { [ "$(get "${url[r]}/v1/recommendations?customer=anon-2" | jq -r '"\(.tier) \(.degraded)"')" = 'fresh null' ]; }
until_true healed

# A change that another process writes is in the answers, and on the open streams.
curl -sSN --max-time 60 "${url[r]}/v1/stream?customer=anon-2&n=3" >stream 2>stream.err &
PIDS+=($!)
first() { [ "$(grep -c '^data: ' stream)" -ge 1 ]; }
until_true first
post "${url[c]}/v1/events" '{"type":"cart_add","customer":"anon-2","item":"item-77"}' >/dev/null
second() { [ "$(grep -c '^data: ' stream)" -ge 2 ]; }
until_true second

# And whoever asked lately is read again before it asks.
refreshed() { [ "$(metric "${admin[r]}" attune_profiles_refreshed_total)" -gt 0 ]; }
until_true refreshed

# Two replicas: the same counts and postings.
followed() { [ "$(metric "${admin[r]}" attune_model_events_total)" = "$(metric "${admin[q]}" attune_model_events_total)" ]; }
until_true followed
kill -TERM "${pid[r]}" "${pid[q]}"
ended "${pid[r]}" 0 "one replica"
ended "${pid[q]}" 0 "the other"
for model in one two; do
  attune-train --show $model.model | jq -c '{clicks, sessions, items, pairs, complements, learned, repeated}' >$model.holds
done
same one.holds two.holds "two replicas that followed one log"
kill -TERM "${pid[c]}" "${pid[p]}"
ended "${pid[c]}" 0 "the collector"
ended "${pid[p]}" 0 "the updater"
