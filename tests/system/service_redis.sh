#!/usr/bin/env bash
# The three daemons apart, over Redis: an answer with a token knows its event; Redis paused or gone is labelled and in time; two replicas of
# attune-recommendd that followed one log hold the same.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/service_lib.sh"
start_redis

log=file://$SCRATCH/log
events 2000 100 9 | attune-produce --log "$log"
serve c attune-collectd --log "$log"
serve p attune-profiled --log "$log" --store "$STORE"
serve r attune-recommendd --log "$log" --store "$STORE" --model one.model --static gift-card
serve q attune-recommendd --log "$log" --store "$STORE" --model two.model
ready() { [ "$(status_of "$r_admin/readyz")" = 200 ] && [ "$(status_of "$q_admin/readyz")" = 200 ]; }
until_true ready

for i in $(seq 20); do
  token=$(post "$c_url/v1/events" "{\"type\":\"cart_add\",\"customer\":\"anon-2\",\"item\":\"item-$i\"}" | jq -r .token)
  answer=$(get "$r_url/v1/recommendations?customer=anon-2&after=$token&budget_ms=2000")
  expect "$i null fresh" "$(jq -r '"\(.profile_version) \(.degraded) \(.tier)"' <<<"$answer")" "an answer with a token knows its event"
done
expect 404 "$(status_of "$c_url/v1/recommendations")" "the collector does not answer"
expect 400 "$(status_of "$c_url/v1/events?slot=home" -d '{"type":"view","customer":"anon-1","item":"a"}')" "a slot at the collector"
expect 404 "$(status_of "$r_url/v1/events" -d '{"type":"view","customer":"anon-1","item":"a"}')" "an answering daemon does not collect"

# Redis paused: every answer in time, and labelled.
kill -STOP "$(cat redis.pid)"
for i in $(seq 30); do
  answer=$(get "$r_url/v1/recommendations?customer=anon-2&budget_ms=50" -w '%{time_total}\n')
  jq -se '.[1] < 1 and (.[0].tier == "cached" or .[0].tier == "fresh") and (.[0].items | length) > 0' <<<"$answer" >/dev/null ||
    fail "with Redis paused, a known customer: $answer"
done
answer=$(get "$r_url/v1/recommendations?customer=anon-9&budget_ms=50&recent=item-1,item-2")
expect 'session store_' "$(jq -r '"\(.tier) \(.degraded.code)"' <<<"$answer" | cut -c1-14)" "with Redis paused, the client's own items"
answer=$(get "$r_url/v1/recommendations?customer=anon-9&budget_ms=50")
expect 'popular store_' "$(jq -r '"\(.tier) \(.degraded.code)"' <<<"$answer" | cut -c1-14)" "with Redis paused, nothing known"
kill -CONT "$(cat redis.pid)"
healed() { [ "$(get "$r_url/v1/recommendations?customer=anon-2" | jq -r '"\(.tier) \(.degraded)"')" = 'fresh null' ]; }
until_true healed

# A change that another process writes is in the answers, and on the open streams.
curl -sSN --max-time 60 "$r_url/v1/stream?customer=anon-2&n=3" >stream 2>stream.err &
PIDS+=($!)
first() { [ "$(grep -c '^data: ' stream)" -ge 1 ]; }
until_true first
post "$c_url/v1/events" '{"type":"cart_add","customer":"anon-2","item":"item-77"}' >/dev/null
second() { [ "$(grep -c '^data: ' stream)" -ge 2 ]; }
until_true second

# Two replicas: the same counts and postings.
followed() { [ "$(metric "$r_admin" attune_model_events_total)" = "$(metric "$q_admin" attune_model_events_total)" ]; }
until_true followed
kill -TERM "$r_pid" "$q_pid"
ended "$r_pid" 0 "one replica"
ended "$q_pid" 0 "the other"
for model in one two; do
  attune-train --show $model.model | jq -c '{clicks, sessions, items, pairs, complements, learned, repeated}' >$model.holds
done
same one.holds two.holds "two replicas that followed one log"
kill -TERM "$c_pid" "$p_pid"
ended "$c_pid" 0 "the collector"
ended "$p_pid" 0 "the updater"
