#!/usr/bin/env bash
# The broker stopped and started again while events are produced and consumed: every event arrives, none twice. One that stays away is
# given up, with 75, by whoever waits for it.
. "$(dirname "$0")/lib.sh"
start_redis
# A broker of its own, since it is stopped.
# shellcheck disable=SC1091
. "$ATTUNE_SOURCE/tests/support/kafka.sh"
export ATTUNE_KAFKA_DATA=$SCRATCH/kafka
kafka_start || skip "no Kafka broker can be started here"
AT_EXIT+=(kafka_stop)
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

# Both are at the end of the log, and wait for more.
(exec attune-profile-update --log "$LOG" --namespace $NS --group g --store "$STORE" --give-up 3s 2>update.err) &
updater=$!
(exec attune-replay --log "$LOG" --namespace $NS --to "file://$SCRATCH/copy" --follow --give-up 3s 2>replay.err) &
replay=$!
PIDS+=("$updater" "$replay")
echo '{"type":"view","id":"one-more","time":1767225600000,"customer":"new","item":"i"}' | attune-produce --log "$LOG" --namespace $NS
read_by_both() {
  attune-profile get new --store "$STORE" --namespace $NS >/dev/null 2>&1 && grep -rqs one-more copy/customer_clicks
}
until_true read_by_both
kafka_stop
for waiting in "$updater update" "$replay replay"; do
  status=0
  wait "${waiting% *}" || status=$?
  [ "$status" = 75 ] || fail "${waiting#* } ended with $status, not 75: $(cat "${waiting#* }.err")"
  grep -q 'given up' "${waiting#* }.err" || fail "${waiting#* } does not say that it gave up: $(cat "${waiting#* }.err")"
done
