#!/usr/bin/env bash
# Bad input of every kind ends in a dead letter with a reason and exit 65, and all good lines around it are kept.
. "$(dirname "$0")/lib.sh"

good() { printf '{"id":"g%d","type":"view","time":%d,"customer":"c","item":"i"}\n' "$1" $((1767225600000 + $1)); }
{
  good 1
  printf 'not json\n'
  good 2
  printf '{"id":"b1","type":"view","time":1,"customer":"c","item":"i","colour":"red"}\n'
  printf '{"id":"b2","type":"cart_add","time":1,"customer":"c","item":"i","price":"12,50"}\n'
  good 3
  printf '{"id":"b3","type":"view","time":1,"customer":"c","item":"\xff\xfe"}\n'
  printf '{"id":"b4","type":"view","time":1,"customer":"c\\u0000","item":"i"}\n'
  printf '\n'
  head -c 200000 /dev/zero | tr '\0' '['
  printf '\n'
  head -c 10000000 /dev/zero | tr '\0' 'x'
  printf '\n'
  good 4
  printf '{"id":"b5","type":"view","time":1e999,"customer":"c","item":"i"}\n'
  printf '{"id":"b6","type":"dance","time":1,"customer":"c"}'
} >input

status=0
attune-produce --log "file://$SCRATCH/log" --dead-letters dead input 2>produce.err || status=$?
[ "$status" = 65 ] || fail "attune-produce ended with $status, not 65: $(cat produce.err)"
[ "$(wc -l <dead)" = 9 ] || fail "$(wc -l <dead) dead letters, not 9: $(cut -c1-200 dead)"
grep -q '"field":"price","reason":"not a decimal"' dead || fail "no dead letter says price: not a decimal"
grep -q '"field":"colour"' dead || fail "no dead letter names colour"
[ "$(grep -c '"reason":"' dead)" = 9 ] || fail "a dead letter has no reason"

attune-consume --log "file://$SCRATCH/log" --until-end | sort >kept
for i in 1 2 3 4; do good $i; done | sort | same - kept "the good lines are not all there, unchanged"

# The updater meets what a program that is not ours wrote into the log.
attune-produce --log "file://$SCRATCH/log" --format raw --topic customer_clicks <input 2>/dev/null || true
status=0
attune-profile-update --log "file://$SCRATCH/log" --group g --store "rocksdb://$SCRATCH/db" --until-end --emit none \
  --dead-letters dead2 2>update.err || status=$?
[ "$status" = 65 ] || fail "attune-profile-update ended with $status, not 65: $(cat update.err)"
[ -s dead2 ] || fail "the updater buried nothing"
attune-profile get c --store "rocksdb://$SCRATCH/db" | grep -q '"counts":{"view":4}' || fail "the good events are not all in the profile"
