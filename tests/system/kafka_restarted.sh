#!/usr/bin/env bash
# The broker stopped and started again while events are produced and consumed: every event arrives, none twice.
. "$(dirname "$0")/lib.sh"
start_redis
# A broker of its own, since it is stopped.
# shellcheck disable=SC1091
. "$ATTUNE_SOURCE/tests/support/kafka.sh"
export ATTUNE_KAFKA_DATA=$SCRATCH/kafka
kafka_start || skip "no Kafka broker can be started here"
trap 'kafka_stop; clean_up' EXIT
LOG=kafka://$ATTUNE_TEST_KAFKA NS=restart
attune-init --log "$LOG" --namespace $NS --partitions 3 >/dev/null

events 40000 1000 23 >events
attune-profile-update --store "rocksdb://$SCRATCH/db-ordered" --emit none <events
export_of "rocksdb://$SCRATCH/db-ordered" >ordered

(exec attune-profile-update --log "$LOG" --namespace $NS --group g --store "$STORE" --emit none 2>update.err) &
updater=$!
PIDS+=("$updater")
attune-produce --log "$LOG" --namespace $NS --rate 8000 events 2>produce.err &
producer=$!
some_profiles() { [ "$(redis-cli -s redis.sock dbsize)" -gt 200 ]; }
until_true some_profiles
kafka_stop
kafka_start
wait $producer || fail "the producer ended with $?: $(cat produce.err)"
healed() { export_of "$STORE" --namespace $NS 2>/dev/null | cmp -s - ordered; }
until_true healed
kill -TERM $updater
wait $updater || fail "the updater ended with $?: $(cat update.err)"
attune-consume --log "$LOG" --namespace $NS --until-end | sort | uniq -d | grep -q . && fail "an event stands twice in the log"
exit 0
