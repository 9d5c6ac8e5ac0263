#!/usr/bin/env bash
# Redis restarted from a snapshot that lacks its last writes (what a failover does): the updater steps back, and the profiles heal.
. "$(dirname "$0")/lib.sh"
start_redis --dbfilename dump.rdb

events 20000 500 13 >events
attune-profile-update --store "rocksdb://$SCRATCH/db-ordered" --emit none <events
export_of "rocksdb://$SCRATCH/db-ordered" >ordered

update() { attune-profile-update --log "file://$SCRATCH/log" --group g --store "$STORE" --emit none "$@"; }
head -n 10000 events | attune-produce --log "file://$SCRATCH/log"
update --until-end
redis-cli -s redis.sock save >/dev/null
tail -n +10001 events | attune-produce --log "file://$SCRATCH/log"
update --until-end
export_of "$STORE" | same - ordered "the profiles are not right even before the restart"
kill_redis
start_redis --dbfilename dump.rdb
export_of "$STORE" | cmp -s - ordered && fail "nothing was lost by the restart: the test proves nothing"
update --until-end 2>update.err
grep -q 'stepping back' update.err || fail "the updater did not say that it stepped back: $(cat update.err)"
export_of "$STORE" | same - ordered "the profiles did not heal"
