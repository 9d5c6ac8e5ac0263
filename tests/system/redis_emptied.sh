#!/usr/bin/env bash
# Redis, without persistence, killed -9 in the middle and started empty: the profiles heal by themselves.
. "$(dirname "$0")/lib.sh"
start_redis

events 30000 1000 11 >events
attune-profile-update --store "rocksdb://$SCRATCH/db-ordered" --emit none <events
export_of "rocksdb://$SCRATCH/db-ordered" >ordered

head -n 15000 events | attune-produce --log "file://$SCRATCH/log"
attune-profile-update --log "file://$SCRATCH/log" --group g --store "$STORE" --emit none 2>update.err &
updater=$!
PIDS+=("$updater")
some_profiles() { [ "$(redis-cli -s redis.sock dbsize 2>/dev/null || echo 0)" -gt 500 ]; }
until_true some_profiles
kill_redis
tail -n +15001 events | attune-produce --log "file://$SCRATCH/log"
start_redis
healed() { export_of "$STORE" 2>/dev/null | cmp -s - ordered; }
until_true healed
kill -TERM $updater
wait $updater || fail "the updater ended with $?: $(cat update.err)"
