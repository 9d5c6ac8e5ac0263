#!/usr/bin/env bash
# `make demo`'s script: the shop opens on a port that is free, its model taught and the crowd in it; half of what a homepage shows after a phone went
# into the cart goes with it, the offer among it; and a stop leaves nothing behind.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/service_lib.sh"
export TMPDIR=$SCRATCH/tmp
mkdir "$TMPDIR"
ATTUNE_DEMO_PORT=$((21000 + RANDOM % 8000)) "$ATTUNE_SOURCE/examples/demo.sh" >demo.out 2>demo.err &
demo=$!
PIDS+=("$demo")
opened() {
  kill -0 "$demo" 2>/dev/null || fail "the demo ended: $(cat demo.err demo.out)"
  grep -q 'Ctrl-C ends it' demo.out
}
until_true opened
shop=$(grep -o 'shop .*http.*' demo.out | grep -o 'http.*')
admin=$(grep -o 'http.*/admin$' demo.out)
admin=${admin%/admin}
for page in / /product?item=aurora-5 /cart /checkout /attune.js /catalog.ndjson /pictures/aurora-5.svg; do expect 200 "$(status_of "$shop$page")" "$page"; done
post "$shop/v1/events?slot=home&n=8" '{"type":"cart_add","customer":"anon-a","item":"aurora-5"}' >answer
fits=$(jq -r 'select(.item == "aurora-5").accessories[]' "$ATTUNE_SOURCE/examples/shop/catalog.ndjson" | jq -R . | jq -cs .)
jq -e --argjson fits "$fits" '.recommendations | .tier == "fresh" and ([.items[].item] | map(select(IN($fits[]))) | length >= 4)' answer >/dev/null ||
  fail "less than half goes with the phone: $(cat answer)"
jq -e '.recommendations.items | any(.offer == "care-for-a-new-phone")' answer >/dev/null || fail "the offer is not there: $(cat answer)"
shopping() { [ "$(metric "$admin" 'attune_collect_events_total{outcome="acknowledged"}')" -gt 5 ]; }
until_true shopping
expect '[{"name":"crowd","title":"The crowd","up":true}]' "$(get "$admin/v1/demo" | jq -c .parts)" "what runs"
expect 202 "$(status_of -X POST "$admin/v1/demo?part=crowd&do=stop")" "the crowd's stop"
gone() { [ "$(get "$admin/v1/demo" | jq .parts[0].up)" = false ]; }
until_true gone
kill -TERM "$demo"
ended "$demo" 0 "the demo"
[ -z "$(ls -A "$TMPDIR")" ] || fail "left behind: $(ls -A "$TMPDIR")"
