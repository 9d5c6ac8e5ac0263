#!/usr/bin/env bash
# The same events through Kafka and Redis, and through the embedded log and RocksDB: the same records, byte for byte.
. "$(dirname "$0")/lib.sh"
start_redis
need_kafka

events 30000 300 17 >events
attune-produce --log "file://$SCRATCH/log" events
attune-profile-update --log "file://$SCRATCH/log" --group g --store "rocksdb://$SCRATCH/db" --until-end --emit none
export_of "rocksdb://$SCRATCH/db" >embedded

attune-produce --log "$LOG" --namespace "$NS" events
attune-profile-update --log "$LOG" --namespace "$NS" --group g --store "$STORE" --until-end --emit none
export_of "$STORE" --namespace "$NS" >cluster
same embedded cluster "Kafka and Redis hold other profiles than the embedded log and RocksDB"

attune-consume --log "$LOG" --namespace "$NS" --until-end | sort >consumed
sort events | same - consumed "what was consumed from Kafka is not what was produced"
attune-train --log "$LOG" --namespace "$NS" -o cluster.model >/dev/null
attune-train --log "file://$SCRATCH/log" -o embedded.model >/dev/null
attune-recommend --store "$STORE" --namespace "$NS" --model cluster.model --customer c00001 -n 5 --at 2026-02-01T00:00:00Z >a
attune-recommend --store "rocksdb://$SCRATCH/db" --model embedded.model --customer c00001 -n 5 --at 2026-02-01T00:00:00Z >b
items() { sed 's/.*"items":\[\(.*\)\],"tier.*/\1/' "$1"; }
[ "$(items a)" = "$(items b)" ] || fail "the two recommend other items: $(cat a b)"
