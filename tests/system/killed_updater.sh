#!/usr/bin/env bash
# kill -9 of the producer or the updater at any moment, then the same command again: the same profiles.
. "$(dirname "$0")/lib.sh"

events 60000 2000 5 >events
attune-profile-update --store "rocksdb://$SCRATCH/db-ordered" --emit none <events
export_of "rocksdb://$SCRATCH/db-ordered" >ordered

# Each becomes its program, so that who kills one in the background kills the program, and waits until it is gone with its locks.
produce() { exec attune-produce --log "file://$SCRATCH/log" events; }
update() { exec attune-profile-update --log "file://$SCRATCH/log" --group g --store "rocksdb://$SCRATCH/db" --until-end --emit none; }

# killed COMMAND AFTER : runs it, kills it once AFTER seconds have gone by; whether it had ended by itself.
killed() {
  "$1" 2>killed.err &
  local pid=$!
  sleep "$2"
  kill -9 $pid 2>/dev/null || return 0
  wait $pid 2>/dev/null || true
  return 1
}

died=0
for after in 0.01 0.03 0.06 0.1 0.15; do killed produce $after || died=$((died + 1)); done
(produce)
for after in 0.02 0.05 0.08 0.12 0.2 0.3; do killed update $after || died=$((died + 1)); done
((died >= 3)) || fail "only $died of the runs were killed: the test proves nothing"
(update)
export_of "rocksdb://$SCRATCH/db" | same - ordered "a killed producer or updater changed a profile"
