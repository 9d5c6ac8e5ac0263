#!/usr/bin/env bash
# A group with two members, one of them killed -9 in the middle: nothing lost, nothing double.
. "$(dirname "$0")/lib.sh"
start_redis
need_kafka

events 60000 1500 19 >events
attune-profile-update --store "rocksdb://$SCRATCH/db-ordered" --emit none <events
export_of "rocksdb://$SCRATCH/db-ordered" >ordered

update() { exec attune-profile-update --log "$LOG" --namespace "$NS" --group g --store "$STORE" --emit none -X session.timeout.ms=6000; }
(update 2>one.err) & one=$!
(update 2>two.err) & two=$!
PIDS+=("$one" "$two")
attune-produce --log "$LOG" --namespace "$NS" --rate 15000 events &
producer=$!
some_profiles() { [ "$(redis-cli -s redis.sock dbsize)" -gt 300 ]; }
until_true some_profiles
kill -9 $one
wait $producer || fail "the producer ended with $?"
healed() { export_of "$STORE" --namespace "$NS" 2>/dev/null | cmp -s - ordered; }
until_true healed
kill -TERM $two
wait $two || fail "the second member ended with $?: $(cat two.err)"
export_of "$STORE" --namespace "$NS" | same - ordered "the profiles changed after they were right"
