#!/usr/bin/env bash
# make bench: the table of issue-sized promises about speed, each beside its target, and build/bench.json with every figure.
#
# Method. One machine, everything on it: broker, Redis, rivals and attune. Release build. 1,000,000 events of about 200 bytes over 100,000
# customers (zipf 0.8), 6 partitions. Rivals run in the same minute as what they are compared with, and ratios are of medians of ROUNDS.
# Raw librdkafka writes the same records to the same topics with the settings of attune-produce, and is spared reading and validating.
# Latencies are open loop: from the moment an event was due, whatever stood in its way, to the acknowledged write of its profile; over Kafka
# after WARM_SECONDS of the same, not counted.
# Answers and lessons of the recommender: sessions made up with a known structure, one core; with ATTUNE_DATA=DIR, a directory with
# rsc15.ndjson and ga360.ndjson (events, by attune-produce without a log), real ones too.
# Environment: COUNT, CUSTOMERS, ROUNDS, LATENCY_SECONDS, WARM_SECONDS (a new broker's), ATTUNE_DATA, ONLY (a list of sections: parse kafka file latency recommender service web).
set -euo pipefail

: "${ATTUNE_BIN:?}" "${ATTUNE_BENCH:?the directory of attune-bench}" "${ATTUNE_SOURCE:?}" "${ATTUNE_JSON:?where the figures go}"
export -n ATTUNE_SOURCE # --source, to a program
COUNT=${COUNT:-1000000} CUSTOMERS=${CUSTOMERS:-100000} ROUNDS=${ROUNDS:-3} LATENCY_SECONDS=${LATENCY_SECONDS:-20} WARM_SECONDS=${WARM_SECONDS:-40}
ONLY=${ONLY:-parse file kafka latency recommender service web}
export PATH=$ATTUNE_BENCH:$ATTUNE_BIN:${ATTUNE_DAEMONS:?the directory of the daemons}:$PATH
work=$(mktemp -d "${ATTUNE_BENCH_DIR:-${TMPDIR:-/tmp}}/attune-bench.XXXXXX")
cleanup() {
  [ -f "$work/redis.pid" ] && kill "$(cat "$work/redis.pid")" 2>/dev/null
  [ -z "${KAFKA_UP-}" ] || kafka_stop
  rm -rf "$work"
}
trap cleanup EXIT
figures=$work/figures.json
echo '{}' >"$figures"
declare -a rows

note() { # note NAME JSON-VALUE
  jq --arg k "$1" --argjson v "$2" '.[$k] = $v' "$figures" >"$figures.new" && mv "$figures.new" "$figures"
}
row() { # row WORK MEASURED TARGET MET
  rows+=("$(printf '%-58s %-44s %-30s %s' "$1" "$2" "$3" "$4")")
  printf '  %s\n' "${rows[-1]}" >&2
}
met() { awk "BEGIN { exit !($1) }" && echo met || echo MISSED; }
calc() { awk "BEGIN { printf \"%.3f\", $1 }"; }
short() { awk "BEGIN { x = $1; if (x >= 1e6) printf \"%.2f M\", x / 1e6; else if (x >= 1e3) printf \"%.0f k\", x / 1e3; else printf \"%.2f\", x }"; }
median() { sort -g | awk '{ a[NR] = $1 } END { print (NR % 2) ? a[(NR + 1) / 2] : (a[NR / 2] + a[NR / 2 + 1]) / 2 }'; }
section() { [[ " $ONLY " == *" $1 "* ]]; }
timed() { # timed OUT COMMAND… : runs it, its output thrown away; {"wall_s","cpu_s","rss_mb"} into OUT
  local out=$1
  shift
  attune-bench run "$@" >/dev/null 2>"$out.err" || { cat "$out.err" >&2; return 1; }
  tail -n 1 "$out.err" >"$out"
}
cpu_of() { awk -v hz="$(getconf CLK_TCK)" '{ printf "%.2f", ($14 + $15) / hz }' "/proc/$1/stat"; }

echo "attune bench: $(nproc) cores, $(awk -F': ' '/model name/ { print $2; exit }' /proc/cpuinfo), $COUNT events, $CUSTOMERS customers, $ROUNDS rounds" >&2
attune-bench events "$COUNT" "$CUSTOMERS" >"$work/events"
note events "{\"count\":$COUNT,\"customers\":$CUSTOMERS,\"bytes\":$(($(stat -c %s "$work/events") / COUNT))}"

if section parse; then
  for _ in $(seq "$ROUNDS"); do taskset -c 0 attune-bench parse "$work/events" | jq .events_per_s; done | median >"$work/parse"
  rate=$(cat "$work/parse")
  note parse_events_per_s "$rate"
  row "parse + validate, one core" "$(short "$rate")/s" "≥ 1.5 M/s" "$(met "$rate >= 1.5e6")"
fi

file_update() { # file_update STORE-KIND TARGET…
  local kind=$1 store
  for round in $(seq "$ROUNDS"); do
    store=$kind
    [ "$kind" = memory: ] || store=rocksdb:$work/db-$round
    timed "$work/t" attune-profile-update --log "file:$work/log" --group "g-${kind%:}-$round" --store "$store" --until-end --emit none
    jq -c . "$work/t" >>"$work/file-${kind%:}"
    rm -rf "$work/db-$round"
  done
}
if section file; then
  timed "$work/t" attune-produce --log "file:$work/log" "$work/events"
  note file_produce "$(cat "$work/t")"
  row "attune-produce → file log, durable" "$(short "$COUNT / $(jq .wall_s "$work/t")")/s" "" ""
  file_update memory:
  rate=$(jq "$COUNT / .wall_s" "$work/file-memory" | median)
  note file_memory "$(jq -s . "$work/file-memory")"
  row "profile-update: file log → memory" "$(short "$rate")/s, $(jq .cpu_s "$work/file-memory" | median) CPU s/M" "≥ 300 k/s" "$(met "$rate >= 3e5")"
  file_update rocksdb:
  rate=$(jq "$COUNT / .wall_s" "$work/file-rocksdb" | median)
  note file_rocksdb "$(jq -s . "$work/file-rocksdb")"
  row "profile-update: file log → RocksDB" "$(short "$rate")/s, $(jq .cpu_s "$work/file-rocksdb" | median) CPU s/M, $(jq .rss_mb "$work/file-rocksdb" | median) MB" \
    "≥ 80 k/s, aim 150 k" "$(met "$rate >= 8e4")"
fi

start_redis() {
  redis-server --port 0 --unixsocket "$work/redis.sock" --pidfile "$work/redis.pid" --dir "$work" --daemonize yes --save '' --appendonly no >/dev/null
  until redis-cli -s "$work/redis.sock" ping >/dev/null 2>&1; do sleep 0.05; done
}
# Sets LOG and STORE: a broker and a Redis of this run, started when they are first needed.
need_servers() {
  [ -z "${LOG-}" ] || return 0
  start_redis
  STORE=redis+unix://$work/redis.sock
  # shellcheck disable=SC1091
  . "$ATTUNE_SOURCE/tests/support/kafka.sh"
  if [ -z "${ATTUNE_TEST_KAFKA-}" ]; then
    export ATTUNE_KAFKA_DATA=$work/kafka
    kafka_start
    KAFKA_UP=1
  fi
  LOG=kafka://$ATTUNE_TEST_KAFKA
}

if section kafka; then
  need_servers
  awk '{ match($0, /"customer":"[^"]*"/); print substr($0, RSTART + 12, RLENGTH - 13) "\t" $0 }' "$work/events" >"$work/keyed"
  for round in $(seq "$ROUNDS"); do
    ns=b$$-$round
    rivals=rivals-$ns.customer_clicks # a topic that attune's own commands do not read
    for name in "$ns" "raw-$ns" "rivals-$ns"; do attune-init --log "$LOG" --namespace "$name" --partitions 6 >/dev/null; done
    attune-bench raw-produce "$ATTUNE_TEST_KAFKA" "raw-$ns" "$work/events" >>"$work/raw-produce"
    timed "$work/t" kcat -P -b "$ATTUNE_TEST_KAFKA" -t "$rivals" -K $'\t' -X enable.idempotence=true -X partitioner=murmur2_random -l "$work/keyed"
    jq -c . "$work/t" >>"$work/kcat-produce"
    timed "$work/t" attune-produce --log "$LOG" --namespace "$ns" "$work/events"
    jq -c . "$work/t" >>"$work/produce"
    attune-bench raw-consume "$ATTUNE_TEST_KAFKA" "$rivals" "$COUNT" >>"$work/raw-consume"
    timed "$work/t" attune-consume --log "$LOG" --namespace "$ns" --until-end
    jq -c . "$work/t" >>"$work/consume"
    timed "$work/t" kcat -C -b "$ATTUNE_TEST_KAFKA" -t "$ns.customer_clicks" -J -e -o beginning -q
    clicks=$(awk '/"type":"(view|click)"/' "$work/events" | wc -l)
    jq -c ". + {events: $clicks}" "$work/t" >>"$work/kcat-consume"
  done
  raw=$(jq .events_per_s "$work/raw-produce" | median)
  kcat=$(jq "$COUNT / .wall_s" "$work/kcat-produce" | median)
  ours=$(jq "$COUNT / .wall_s" "$work/produce" | median)
  note produce "{\"attune\":$(jq -s . "$work/produce"),\"raw\":$raw,\"kcat\":$kcat}"
  row "attune-produce → Kafka, validation on" "$(short "$ours")/s = $(calc "$ours / $raw") of raw ($(short "$raw")), kcat $(short "$kcat")" "≥ 0.8 of raw" "$(met "$ours >= 0.8 * $raw")"
  raw=$(jq .events_per_s "$work/raw-consume" | median)
  kcat=$(jq '.events / .wall_s' "$work/kcat-consume" | median)
  ours=$(jq "$COUNT / .wall_s" "$work/consume" | median)
  note consume "{\"attune\":$(jq -s . "$work/consume"),\"raw\":$raw,\"kcat\":$kcat}"
  row "attune-consume → NDJSON" "$(short "$ours")/s = $(calc "$ours / $kcat") × kcat -J ($(short "$kcat")), raw $(short "$raw")" "≥ 0.8 M/s and ≥ 4 × kcat" \
    "$(met "$ours >= 8e5 && $ours >= 4 * $kcat")"

  kafka_pid=$(kafka_pid 2>/dev/null || true)
  redis_pid=$(cat "$work/redis.pid")
  for round in $(seq "$ROUNDS"); do
    ns=b$$-$round
    redis_before=$(cpu_of "$redis_pid") kafka_before=0
    [ -z "$kafka_pid" ] || kafka_before=$(cpu_of "$kafka_pid")
    redis-cli -s "$work/redis.sock" flushall >/dev/null
    timed "$work/t" attune-profile-update --log "$LOG" --namespace "$ns" --group drain --store "$STORE" --until-end --emit none
    redis_cpu=$(calc "$(cpu_of "$redis_pid") - $redis_before") kafka_cpu=0
    [ -z "$kafka_pid" ] || kafka_cpu=$(calc "$(cpu_of "$kafka_pid") - $kafka_before")
    attune-bench raw-cas "$work/redis.sock" "$ns:*profile*" 400000 >"$work/cas"
    jq -c ". + {redis_cpu_s: $redis_cpu, kafka_cpu_s: $kafka_cpu, bare: $(cat "$work/cas")}" "$work/t" >>"$work/drain"
  done
  rate=$(jq "$COUNT / .wall_s" "$work/drain" | median)
  bare=$(jq .bare.pairs_per_s "$work/drain" | median)
  cpu=$(jq ".cpu_s / $COUNT * 1e6" "$work/drain" | median)
  rss=$(jq .rss_mb "$work/drain" | median)
  note drain "$(jq -s . "$work/drain")"
  row "profile-update: Kafka → Redis, backlog" "$(short "$rate")/s = $(calc "$rate / $bare") of bare GET+CAS ($(short "$bare"))" "≥ 0.6 of bare, aim 150 k/s" "$(met "$rate >= 0.6 * $bare")"
  row "  its CPU and memory" "$cpu s/M (Redis $(jq .redis_cpu_s "$work/drain" | median), broker $(jq .kafka_cpu_s "$work/drain" | median)), $rss MB" "≤ 5 s/M, ≤ 300 MB" "$(met "$cpu <= 5 && $rss <= 300")"
fi

if section latency; then
  need_servers
  attune-init --log "$LOG" --partitions 6 >/dev/null || true
  redis-cli -s "$work/redis.sock" flushall >/dev/null
  measure() { # measure NAME LOG STORE RATE P50 P99
    attune-bench latency "$2" "$3" "$4" "$LATENCY_SECONDS" ${5:+-X "$5"} >"$work/latency" || true
    note "latency_$1" "$(cat "$work/latency")"
  }
  told() { jq -r '"p50 \(.p50_ms)  p99 \(.p99_ms)  p99.9 \(.p999_ms) ms, lost \(.lost)"' "$work/latency"; }
  # A broker that has just started is a JVM that compiles its own code under load: the same load first, unprinted.
  attune-bench latency "$LOG" "$STORE" 2000 "$WARM_SECONDS" -X linger.ms=0 >/dev/null || true
  measure kafka_2000 "$LOG" "$STORE" 2000 linger.ms=0
  row "event → profile in Redis over Kafka, 2,000/s (broker under load for $WARM_SECONDS s before)" "$(told)" "p50 ≤ 2, p99 ≤ 10 ms" "$(met "$(jq .p50_ms "$work/latency") <= 2 && $(jq .p99_ms "$work/latency") <= 10")"
  measure kafka_5000 "$LOG" "$STORE" 5000 linger.ms=0
  row "event → profile in Redis over Kafka, 5,000/s" "$(told)" "p99 ≤ 20 ms" "$(met "$(jq .p99_ms "$work/latency") <= 20")"
  measure file_2000 "file:$work/latency-log" "rocksdb:$work/latency-db" 2000
  row "event → profile in RocksDB over the file log, 2,000/s" "$(told)" "p50 ≤ 1.5, p99 ≤ 6 ms" "$(met "$(jq .p50_ms "$work/latency") <= 1.5 && $(jq .p99_ms "$work/latency") <= 6")"
fi

if section recommender; then
  answer_rows() { # answer_rows NAME P50 P99 VMIS-P50 ARGUMENTS…
    local name=$1 p50=$2 p99=$3 vmis=$4
    shift 4
    taskset -c 1 attune-recommender-bench "$@" >"$work/answers"
    note "recommender_${name// /_}" "$(jq -s . "$work/answers")"
    row "blended answer of 20, $name" "$(jq -r 'select(.what == "answer") | "p50 \(.p50_us)  p99 \(.p99_us) us"' "$work/answers")" "p50 ≤ $p50, p99 ≤ $p99 us" \
      "$(met "$(jq 'select(.what == "answer") | .p50_us' "$work/answers") <= $p50 && $(jq 'select(.what == "answer") | .p99_us' "$work/answers") <= $p99")"
    [ -z "$vmis" ] || row "VMIS-kNN alone, $name" "$(jq -r 'select(.what == "vmis") | "p50 \(.p50_us)  p99 \(.p99_us) us"' "$work/answers")" "p50 ≤ $vmis us" \
      "$(met "$(jq 'select(.what == "vmis") | .p50_us' "$work/answers") <= $vmis")"
  }
  answer_rows "800 k clicks, 43 k items" 100 400 25 answers 800000 43000
  for set in rsc15 ga360; do
    [ -z "${ATTUNE_DATA-}" ] || answer_rows "$set" 60 250 "" replay "$ATTUNE_DATA/$set.ndjson"
  done
  taskset -c 1 attune-recommender-bench learn 1000000 43000 >"$work/learn"
  note recommender_learn "$(cat "$work/learn")"
  row "learn, after the first" "$(short "$(jq .lessons_per_s "$work/learn")")/s, $(jq '.taught_share * 1000 | round / 10' "$work/learn") % taught" "≥ 100 k/s" "$(met "$(jq .lessons_per_s "$work/learn") >= 1e5")"
  row "  its memory" "$(jq -r '"\(.bytes / 1e6 | round) MB of \(.allowed_bytes / 1e6 | round), growth \(.growth)"' "$work/learn")" "≤ 100 B a click + 40 a pair" \
    "$(met "$(jq '.bytes / .allowed_bytes' "$work/learn") <= 1 && $(jq .growth "$work/learn") <= 1.02")"
  taskset -c 1 attune-recommender-bench load 10000000 43000 >"$work/load"
  note recommender_load "$(cat "$work/load")"
  row "a model of 10 M clicks loaded" "$(jq .decode_s "$work/load") s" "< 1 s" "$(met "$(jq .decode_s "$work/load") < 1")"
fi

if section service; then
  # shellcheck disable=SC1091
  . "$ATTUNE_SOURCE/tests/bench/service.sh"
fi

if section web; then
  web_row() { # web_row NAME ARGUMENTS…
    local name=$1
    shift
    "$ATTUNE_SOURCE/tests/web/run.sh" --program bench.mjs "$@" >"$work/web"
    note "web_${name// /_}" "$(cat "$work/web")"
    row "add to cart → changed page painted, $name, 200 clicks" "$(jq -r '"p50 \(.p50_ms)  p99 \(.p99_ms) ms; a constant \(.constant.p50_ms), \(.constant.p99_ms)"' "$work/web")" \
      "p50 ≤ 30, p99 ≤ 100 ms" "$(met "$(jq .p50_ms "$work/web") <= 30 && $(jq .p99_ms "$work/web") <= 100")"
    row "  first recommendations after DOMContentLoaded" "$(jq -r '.first_after_dom_ready | "p50 \(.p50_ms)  p90 \(.p90_ms) ms"' "$work/web")" "≤ 15 ms" \
      "$(met "$(jq .first_after_dom_ready.p50_ms "$work/web") <= 15")"
  }
  web_row embedded
  row "  the SDK, gzipped" "$(jq .sdk_gzip_bytes "$work/web") bytes" "≤ 4,096" "$(met "$(jq .sdk_gzip_bytes "$work/web") <= 4096")"
  need_servers
  attune-init --log "$LOG" --partitions 3 >/dev/null || true
  redis-cli -s "$work/redis.sock" flushall >/dev/null
  web_row "Kafka and Redis" "$LOG" "$STORE"
fi

mkdir -p "$(dirname "$ATTUNE_JSON")"
cp "$figures" "$ATTUNE_JSON"
echo
printf '%s\n' "${rows[@]}"
echo
echo "every figure: $ATTUNE_JSON"
