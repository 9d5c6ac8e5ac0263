#!/usr/bin/env bash
# The same events shuffled, partly doubled and split over two concurrent updaters: the same profile for every customer without a
# late event; for the others each distinct event is in the profile or in the sink; a rebuild gives the ordered profiles for all.
. "$(dirname "$0")/lib.sh"
start_redis

events 20000 60 7 >events
{ cat events; awk 'NR % 5 == 0' events; } | shuffled 3 >shuffled

attune-profile-update --store "rocksdb://$SCRATCH/db-ordered" --emit none <events
export_of "rocksdb://$SCRATCH/db-ordered" >ordered

attune-produce --log "file://$SCRATCH/log" shuffled
attune-profile-update --log "file://$SCRATCH/log" --group g --store "$STORE" --until-end --emit none 2>one.err &
one=$!
attune-profile-update --log "file://$SCRATCH/log" --group g --store "$STORE" --until-end --emit none 2>two.err &
two=$!
wait $one || fail "the first updater: $(cat one.err)"
wait $two || fail "the second updater: $(cat two.err)"
export_of "$STORE" >mixed

attune-consume --log "file://$SCRATCH/log" --until-end attune_late_events >late
customers() { sed 's/.*"customer":"\([^"]*\)".*/\1/' | sort -u; }
customers <late >late.customers
[ -s late.customers ] || fail "nothing was late: the test proves nothing"
without_late() { awk -F'"customer":"' 'NR == FNR { late[$1] = 1; next } { split($2, c, "\""); if (!(c[1] in late)) print }' late.customers "$1"; }
without_late ordered >ordered.intime
without_late mixed >mixed.intime
[ -s ordered.intime ] || fail "everybody was late: the test proves nothing"
same ordered.intime mixed.intime "customers without late events have other profiles"

# Each distinct event of the others: accepted (their profiles' versions count them) or in the sink.
version() { sed 's/.*"version":\([0-9]*\).*/\1/'; }
while read -r customer; do
  all=$(grep -c "\"customer\":\"$customer\"" events)
  kept=$(grep "^{\"customer\":\"$customer\"" mixed | version)
  sunk=$(grep "\"customer\":\"$customer\"" late | sed 's/.*"id":"\([^"]*\)".*/\1/' | sort -u | wc -l)
  ((kept <= all && kept + sunk >= all)) || fail "$customer: $all events, $kept kept, $sunk late"
done <late.customers

attune-replay --rebuild --log "file://$SCRATCH/log" --store "$STORE" --group g >rebuild.out
export_of "$STORE" >rebuilt
same ordered rebuilt "the rebuilt profiles are not the ordered ones"

# The group goes on from where the rebuild ended.
attune-profile-update --log "file://$SCRATCH/log" --group g --store "$STORE" --until-end --emit none
export_of "$STORE" | same - rebuilt "going on after a rebuild changed a profile"
