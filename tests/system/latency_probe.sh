#!/usr/bin/env bash
# attune-latency-probe against attuned: its figures are those of a second clock on the same events, a target missed is exit 1, and its customers leave
# nothing behind. attune-cache-warm against the same service.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/service_lib.sh"
declare -A url admin pid
: "${ATTUNE_SUPPORT:?where the programs of tests are}"

events 3000 200 5 | attune-produce --log "file://$SCRATCH/log"
serve d attuned --log "file://$SCRATCH/log" --store "rocksdb://$SCRATCH/profiles" --model shop.model --write-key secret \
  --signing-key key --admin-token token
export ATTUNE_WRITE_KEY=secret ATTUNE_SIGNING_KEY=key ATTUNE_ADMIN_TOKEN=token
admin_get() { get -H 'Authorization: Bearer token' "$@"; }
admin_metric() { admin_get "${admin[d]}/metrics" | awk -v name="$1" '$1 == name { print $2 }'; }
learned() { [ "$(admin_metric attune_model_events_total)" = 3000 ]; }
until_true learned

# Both ways through the service: nothing lost, nothing twice, every answer knows its event; all customers are removed.
for way in '' --one-call; do
  # shellcheck disable=SC2086
  attune-latency-probe --url "${url[d]}" --admin-url "${admin[d]}" --rate 200 --duration 2s --customers 20 --interval 500ms $way >probe.out 2>probe.err ||
    fail "the probe: $? $(cat probe.err)"
  [ "$(wc -l <probe.out)" -ge 4 ] || fail "a line at each interval: $(cat probe.out)"
  expect '400 400 0 0 0 0 0 20 20' \
    "$(tail -n 1 probe.out | jq -r '"\(.events) \(.answers) \(.lost) \(.duplicates) \(.stale) \(.degraded) \(.failed) \(.customers) \(.removed)"')" "$way"
  tail -n 1 probe.out | jq -e '.stages | .answer.p99_ms >= .accepted.p50_ms and .accepted.p50_ms >= .durable.p50_ms and
    ([.[] | .p50_ms <= .p90_ms and .p90_ms <= .p99_ms and .p99_ms <= .p999_ms and .p999_ms <= .p9999_ms and .p9999_ms <= .max_ms] | all)' >/dev/null ||
    fail "the order of times: $(tail -n 1 probe.out)"
  grep -q '^answer .* .*' probe.err || fail "a table for people: $(cat probe.err)"
done
# The log has its events and its customers' ends; the model learned none of them; no profile is left.
attune-consume --log "file://$SCRATCH/log" --until-end | grep 'attune-probe-' >probe.events
expect 800 "$(grep -c '"view"' probe.events)" "events of the probes in the log"
expect 40 "$(grep -c '"forget"' probe.events)" "their ends"
customer=$(tail -n 1 probe.events | jq -r .customer)
forgotten() { [ "$(admin_get "${admin[d]}/v1/profiles/$customer" | jq -c '.counts // {}')" = '{}' ]; }
until_true forgotten
# What comes after them in the log is learned, so they have been passed over.
attune-produce --log "file://$SCRATCH/log" <<<'{"type":"view","customer":"last","item":"item-1"}'
one_more() { [ "$(admin_metric attune_model_events_total)" -gt 3000 ]; }
until_true one_more
expect 3001 "$(admin_metric attune_model_events_total)" "events of the model"

# A second clock on the same events, from the request's arrival to its answer's departure. Either may be kept from the processor: best of five.
mkfifo proxy.in
"$ATTUNE_SUPPORT/stopwatch_proxy" "${url[d]##*:}" <proxy.in >proxy.out &
PIDS+=($!)
exec 9>proxy.in
listening() { [ -s proxy.out ]; }
until_true listening
agrees() {
  local before wanted got share
  before=$(wc -l <proxy.out)
  attune-latency-probe --url "http://127.0.0.1:$(head -n 1 proxy.out)" --admin-url "${admin[d]}" --rate 50 --duration 3s --quiet >probe.out
  expect 150 "$(jq .answers probe.out)" "answers through the proxy"
  all_told() { [ "$(($(wc -l <proxy.out) - before))" = 150 ]; }
  until_true all_told
  tail -n 150 proxy.out | sort -n >exact
  for share in 50 90 99; do
    wanted=$(awk -v rank=$((share * 150 / 100)) 'NR == rank { print $1 / 1e6 }' exact)
    got=$(jq ".stages.answer.p${share}_ms" probe.out)
    awk -v a="$got" -v b="$wanted" 'BEGIN { d = a > b ? a - b : b - a; exit !(d <= 0.1 || d <= 0.05 * b) }' || {
      echo "p$share: the probe $got ms, the second clock $wanted ms"
      return 1
    }
  done
}
agrees || agrees || agrees || agrees || agrees || fail "the probe and a second clock differ"

# A target that is missed is exit 1 and named; one that is kept is not.
status=0
attune-latency-probe --url "http://127.0.0.1:$(head -n 1 proxy.out)" --admin-url "${admin[d]}" --rate 50 --duration 1s --slo p50=5s --slo p99=39ms \
  >/dev/null 2>probe.err || status=$?
expect 1 "$status" "a target missed"
grep -q '^attune-latency-probe: --slo p99=39ms is missed: answer p99 is .* ms, more than 39 ms$' probe.err || fail "the miss: $(cat probe.err)"
grep -q 'p50=5s' probe.err && fail "a target kept is not told: $(cat probe.err)"
exec 9>&-

# The first signal ends it early: its line, its customers removed.
attune-latency-probe --url "${url[d]}" --admin-url "${admin[d]}" --rate 100 --duration 1h --interval 100ms >stopped.out 2>probe.err &
probe=$!
PIDS+=("$probe")
running() { [ -s stopped.out ]; }
until_true running
kill -TERM "$probe"
ended "$probe" 0 "a probe that was stopped"
tail -n 1 stopped.out | jq -e '.events > 0 and .answers == .events and .lost == 0 and .customers == .removed' >/dev/null || fail "stopped: $(tail -n 1 stopped.out)"

# What it can not do, it says.
status=0
attune-latency-probe --url "${url[d]}" --rate 50 --duration 200ms >probe.out 2>probe.err || status=$?
expect 0 "$status" "without --admin-url"
grep -q '10 customers whose names begin with attune-probe- stay: without --admin-url they can not be removed' probe.err || fail "left: $(cat probe.err)"
status=0
ATTUNE_ADMIN_TOKEN=wrong attune-latency-probe --url "${url[d]}" --admin-url "${admin[d]}" --rate 50 --duration 200ms >probe.out 2>probe.err || status=$?
expect 69 "$status" "a wrong token"
grep -q 'stay: .*: 401: ' probe.err || fail "a wrong token is told: $(cat probe.err)"
status=0
ATTUNE_WRITE_KEY=wrong attune-latency-probe --url "${url[d]}" --admin-url "${admin[d]}" --rate 50 --duration 200ms --slo p99=1s >probe.out 2>probe.err || status=$?
expect 1 "$status" "no event got through: no target is kept"
grep -q '10 events failed: .*: 401: ' probe.err || fail "a wrong key is told: $(cat probe.err)"

# --- attune-cache-warm ---------------------------------------------------------------------------------------------------------------------
answers() { admin_metric 'attune_http_requests_total{listener="public"}'; }
before=$(answers)
printf '%s\n' c00001 '{"customer":"c00002","slot":"ignored"}' '' '{"customer":7}' c00003 >customers
status=0
attune-cache-warm --url "${url[d]}" --slot home --slot cart --dead-letters bad customers >warm.out 2>warm.err || status=$?
expect 65 "$status" "a line that names no customer: $(cat warm.err)"
expect '{"customers":3,"answers":6,"degraded":0,"skipped":0,"rejected":1,"finished":true}' "$(cat warm.out)" "the summary"
expect 'customers:4 customer not a string' "$(jq -r '"\(.source) \(.field) \(.reason)"' bad)" "the dead letter"
expect 6 $(($(answers) - before)) "requests"
# Those of the log, the last ones first; nobody of the probe's.
attune-cache-warm --url "${url[d]}" --log "file://$SCRATCH/log" --since 520w --dry-run >requests
expect last "$(head -n 1 requests | jq -r .customer)" "the last one first"
grep -q attune-probe requests && fail "customers of the probe"
whole=$(wc -l <requests)
# Stopped and begun again: each once.
before=$(answers)
attune-cache-warm --url "${url[d]}" --log "file://$SCRATCH/log" --since 520w --rate 20/s --resume warm.done >warm.out &
warming=$!
PIDS+=("$warming")
under_way() { [ "$(wc -l 2>/dev/null <warm.done)" -ge 10 ]; }
until_true under_way
kill -TERM "$warming"
ended "$warming" 0 "warming that was stopped"
jq -e '.finished == false' warm.out >/dev/null || fail "stopped: $(cat warm.out)"
first=$(wc -l <warm.done)
attune-cache-warm --url "${url[d]}" --log "file://$SCRATCH/log" --since 520w --resume warm.done >warm.out
expect "{\"customers\":$((whole - first)),\"answers\":$((whole - first)),\"degraded\":0,\"skipped\":$first,\"rejected\":0,\"finished\":true}" \
  "$(cat warm.out)" "the rest"
[ ! -e warm.done ] || fail "the file of a finished run"
[ $(($(answers) - before)) -le $((whole + 4)) ] || fail "customers asked for twice: $(($(answers) - before)) requests for $whole"
# A service that is away.
kill -TERM "${pid[d]}"
ended "${pid[d]}" 0 attuned
status=0
attune-cache-warm --url "${url[d]}" --give-up 200ms customers >warm.out 2>warm.err || status=$?
expect 75 "$status" "a service that is away: $(cat warm.err)"
status=0
attune-latency-probe --url "${url[d]}" >probe.out 2>probe.err || status=$?
expect 69 "$status" "a service that is away: $(cat probe.err)"

# One process takes the events, another answers.
serve c attune-collectd --log "file://$SCRATCH/log" --write-key secret --signing-key key --admin-token token
serve r attuned --roles profile,recommend --log "file://$SCRATCH/log" --store "rocksdb://$SCRATCH/profiles" --model shop.model --signing-key key
attune-latency-probe --url "${url[r]}" --collect-url "${url[c]}" --admin-url "${admin[c]}" --rate 100 --duration 1s >probe.out 2>probe.err ||
  fail "two processes: $(cat probe.err)"
expect '100 100 0 0 100 100' \
  "$(jq -r '"\(.events) \(.answers) \(.lost) \(.duplicates) \(.customers) \(.removed)"' probe.out)" "two processes"
