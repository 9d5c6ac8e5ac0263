#!/usr/bin/env bash
# kill -9 of attune-replay, attune-replay --rebuild, attune-train and attune-profile import at any moment, many times over, then the same
# command again: the same copy, the same export, the same model, and nothing of the killed ones left behind. The moments are drawn from
# a seed (ATTUNE_SEED), as shares of the time the command takes when nobody kills it.
. "$(dirname "$0")/lib.sh"
start_redis

SEED=${ATTUNE_SEED:-29}
ROUNDS=${ATTUNE_ROUNDS:-8}
RANDOM=$SEED
FILE=file://$SCRATCH/log
DB=rocksdb://$SCRATCH/db

now_us() { echo "${EPOCHREALTIME/[.,]/}"; }

# killed COMMAND… : runs it until ROUNDS runs were killed, each at a moment of its own; then lets it end. A run that ended by itself tells
# how long a run takes now.
killed() {
  local begin whole took at pid runs died=0
  begin=$(now_us)
  "$@" >first.out 2>first.err || fail "$*: ended with $?: $(cat first.err)"
  whole=$(($(now_us) - begin))
  for ((runs = 0; died < ROUNDS && runs < 10 * ROUNDS; ++runs)); do
    begin=$(now_us)
    setsid "$@" >killed.out 2>killed.err &
    pid=$!
    at=$((RANDOM * whole / 32768))
    sleep "$(printf '%d.%06d' $((at / 1000000)) $((at % 1000000)))"
    if kill -9 -- "-$pid" 2>/dev/null; then took=$whole; else took=$(($(now_us) - begin)); fi
    if wait "$pid" 2>/dev/null; then whole=$((took < whole ? took : whole * 7 / 8)); else died=$((died + 1)); fi
    # Its children die after it where the disk keeps them, and hold their locks until then.
    while ps -o stat= -s "$pid" | grep -qv '^Z'; do sleep 0.01; done
    [ -z "${AFTER_KILL-}" ] || "$AFTER_KILL"
  done
  ((died == ROUNDS)) || fail "$*: only $died of $runs runs died: the test proves nothing"
  "$@" >again.out 2>again.err || fail "$* after it was killed (seed $SEED): ended with $?: $(cat again.err)"
}

events 40000 120 31 >events
{ cat events; awk 'NR % 7 == 0' events; } | shuffled 5 >mixed
attune-profile-update --store "rocksdb://$SCRATCH/db-ordered" --emit none <events
export_of "rocksdb://$SCRATCH/db-ordered" >ordered

attune-produce --log "$FILE" mixed
attune-profile-update --log "$FILE" --group g --store "$DB" --until-end --emit none 2>update.err
attune-profile-update --log "$FILE" --group r --store "$STORE" --late late-of-redis --until-end --emit none 2>update.err
export_of "$DB" >mixed.export
cmp -s mixed.export ordered && fail "no event was late: the rebuild would prove nothing"

# --- A copy of the log: records may stand in it more than once, as after any crash of a producer; none is lost, none is torn. -------
copy() { attune-replay --log "$FILE" --to "file://$SCRATCH/copy"; }
export -f copy
export FILE SCRATCH DB STORE
killed bash -c copy
attune-consume --log "$FILE" --until-end | sort -u >in-log
attune-consume --log "file://$SCRATCH/copy" --until-end | sort -u | same - in-log "the copy holds other records than the log"
attune-replay --rebuild --log "file://$SCRATCH/copy" --store "rocksdb://$SCRATCH/db-of-copy" >/dev/null
export_of "rocksdb://$SCRATCH/db-of-copy" | same - ordered "the copy's profiles are not those of the log"

# --- Profiles made anew: until the swap everybody sees the old ones, from then on the new ones, never a mixture. ---------------------
old_or_new() { # old_or_new STORE
  export_of "$1" >seen
  cmp -s seen mixed.export || cmp -s seen ordered || fail "$1: a killed rebuild left neither the old nor the new profiles (seed $SEED)"
}
rebuild_db() { attune-replay --rebuild --log "$FILE" --store "$DB" --group g; }
export -f rebuild_db
db_is_whole() { old_or_new "$DB"; }
AFTER_KILL=db_is_whole killed bash -c rebuild_db
export_of "$DB" | same - ordered "the profiles made anew in RocksDB are not the ordered ones"
attune-profile-update --log "$FILE" --group g --store "$DB" --until-end --emit none
export_of "$DB" | same - ordered "the group did not go on from where the rebuild ended (RocksDB)"

rebuild_redis() { attune-replay --rebuild --log "$FILE" --store "$STORE" --late late-of-redis --group r; }
export -f rebuild_redis
export_of "$STORE" >mixed.export
redis_is_whole() { old_or_new "$STORE"; }
AFTER_KILL=redis_is_whole killed bash -c rebuild_redis
export_of "$STORE" | same - ordered "the profiles made anew in Redis are not the ordered ones"
# One key a profile, and the incarnation: the generations of those that were killed are gone.
keys=$(redis-cli -s redis.sock dbsize)
((keys == $(wc -l <ordered) + 1)) || fail "Redis holds $keys keys for $(wc -l <ordered) profiles: generations were left behind"
attune-profile-update --log "$FILE" --group r --store "$STORE" --until-end --emit none
export_of "$STORE" | same - ordered "the group did not go on from where the rebuild ended (Redis)"

# --- A model: the file of before or the new one, never a part of one. ------------------------------------------------------------------
attune-train --log "$FILE" -o model.expected >/dev/null
train() { attune-train --log "$FILE" -o model >/dev/null; }
export -f train
model_is_whole() { [ ! -e model ] || same model model.expected "a killed attune-train left a part of a model (seed $SEED)"; }
AFTER_KILL=model_is_whole killed bash -c train
same model model.expected "attune-train makes another model after it was killed"

# --- Import: merged into what is there, and in its place. ------------------------------------------------------------------------------
import_db() { attune-profile import --store "rocksdb://$SCRATCH/db-imported" ordered; }
import_redis() { attune-profile import --store "$STORE" --namespace imported ordered; }
replace_db() { attune-profile import --replace --store "$DB" ordered; }
export -f import_db import_redis replace_db
killed bash -c import_db
export_of "rocksdb://$SCRATCH/db-imported" | same - ordered "a killed import left other profiles (RocksDB)"
killed bash -c import_redis
export_of "$STORE" --namespace imported | same - ordered "a killed import left other profiles (Redis)"
killed bash -c replace_db
export_of "$DB" | same - ordered "a killed import --replace left other profiles"
