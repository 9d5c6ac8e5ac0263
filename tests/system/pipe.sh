#!/usr/bin/env bash
# The pipe is the deployment: produce | consume | profile-update | recommend, and the same through stores, give the same profiles.
. "$(dirname "$0")/lib.sh"

events 5000 200 >events
attune-produce --log "file://$SCRATCH/log" events
attune-consume --log "file://$SCRATCH/log" --until-end >consumed
sort events >a
sort consumed | same - a "what was consumed is not what was produced"

attune-profile-update --store "rocksdb://$SCRATCH/db-piped" --emit none <events
attune-profile-update --log "file://$SCRATCH/log" --group g --store "rocksdb://$SCRATCH/db-grouped" --until-end --emit none
export_of "rocksdb://$SCRATCH/db-piped" >piped
export_of "rocksdb://$SCRATCH/db-grouped" >grouped
same piped grouped "a pipe and a group make different profiles"
[ "$(wc -l <piped)" -gt 100 ] || fail "hardly any profile"

attune-train -o model <events >/dev/null
customer=$(head -n 1 events | sed 's/.*"customer":"\([^"]*\)".*/\1/')
attune-consume --log "file://$SCRATCH/log" --until-end | attune-profile-update --store memory: --emit profiles |
  attune-recommend --model model --slot home -n 3 >answers
[ "$(wc -l <answers)" -ge 200 ] || fail "only $(wc -l <answers) answers"
grep -q "\"customer\":\"$customer\"" answers || fail "no answer for $customer"
attune-recommend --store "rocksdb://$SCRATCH/db-grouped" --model model --slot home -n 5 --customer "$customer" --why >answer
grep -q '"tier":"fresh"' answer || fail "not a fresh answer: $(cat answer)"
grep -q '"source":"neighbours"' answer || fail "no reason names neighbours: $(cat answer)"

# The same file again changes nothing.
attune-produce --log "file://$SCRATCH/log" events
attune-profile-update --log "file://$SCRATCH/log" --group g --store "rocksdb://$SCRATCH/db-grouped" --until-end --emit none
export_of "rocksdb://$SCRATCH/db-grouped" >again
same grouped again "the same file sent twice changed a profile"
