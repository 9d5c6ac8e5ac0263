#!/usr/bin/env bash
# attune-collectd while its broker is away: with a spool 202 goes on and everything comes to Kafka in its order, the collector killed or not; a
# spool that is full, and a collector without one, say 503, in time, and lose nothing that they acknowledged.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/service_lib.sh"
declare -A url admin pid
# A broker of its own, since it is stopped.
# shellcheck disable=SC1091
. "$ATTUNE_SOURCE/tests/support/kafka.sh"
export ATTUNE_KAFKA_DATA=$SCRATCH/kafka
kafka_start || skip "no Kafka broker can be started here"
AT_EXIT+=(kafka_resume kafka_stop)
log=kafka://$ATTUNE_TEST_KAFKA
attune-init --log "$log" --partitions 3 >/dev/null

serve c attune-collectd --log "$log" --spool "$SCRATCH/spool"
echo "${url[c]}" >address
# Sends events of one customer one after the other, each until it is acknowledged, and notes its id then.
sender() { # sender NAME : until the file `stop` is there
  local i=0 status
  while [ ! -f stop ]; do
    i=$((i + 1))
    until status=$(curl -s --max-time 20 -o "answer.$1" -D "head.$1" -w '%{http_code}' "$(cat address)/v1/events" \
      -d "{\"id\":\"$1-$i\",\"type\":\"view\",\"customer\":\"anon-$1\",\"item\":\"item-$((i % 50))\"}"); [ "$status" = 202 ]; do
      case $status in
        000) ;; # the collector was killed
        503) grep -qi '^retry-after: ' "head.$1" || echo "503 without Retry-After: $(cat "answer.$1")" >>wrong ;;
        *) echo "$status $(cat "answer.$1")" >>wrong ;;
      esac
      [ ! -f stop ] || return 0
      sleep .05
    done
    echo "$1-$i" >>"acked.$1"
  done
}
send() { # send : four customers, until stop_sending
  rm -f stop
  senders=()
  local name
  for name in "$@"; do sender "$name" & PIDS+=($!) senders+=($!); done
}
stop_sending() {
  touch stop
  wait "${senders[@]}" || true
  [ ! -s wrong ] || fail "a sender was told: $(head -n 3 wrong)"
}
acked() { cat acked.* 2>/dev/null | wc -l; }
acked_beyond() { [ "$(acked)" -gt "$1" ]; }
spooling() { [ "$(metric "${admin[c]}" attune_spool_active)" = 1 ]; }
straight() { [ "$(metric "${admin[c]}" attune_spool_active)" = 0 ] && [ "$(metric "${admin[c]}" attune_spool_records)" = 0 ]; }
# Everything acknowledged is in Kafka; and of each customer the first appearances are in the order they were sent in.
all_there() { # all_there WHAT
  attune-consume --log "$log" --topics customer_clicks --until-end | jq -r .id | awk '!seen[$0]++' >durable
  sort acked.* >acked
  [ -z "$(comm -23 acked <(sort durable))" ] || fail "$1: acknowledged and not in the log: $(comm -23 acked <(sort durable) | head)"
  awk -F- '{ if ($2 <= last[$1]) { print; exit 1 } last[$1] = $2 }' durable || fail "$1: a customer's events are out of order"
}

# Kafka silent, then gone, for some seconds.
send a b c d
until_true acked_beyond 100
kafka_pause
until_true spooling
until_true acked_beyond $(($(acked) + 200))
kafka_resume
kafka_stop
until_true acked_beyond $(($(acked) + 200))
spooling || fail "Kafka is away and nothing is spooled"
kafka_start
until_true straight
until_true acked_beyond $(($(acked) + 100))
stop_sending
until_true straight
all_there "Kafka away and back"

# Killed with a filled spool, and started again while Kafka is still away; then it is back.
kafka_stop
send e f g h
until_true spooling
until_true acked_beyond $(($(acked) + 300))
kill -9 "${pid[c]}"
wait "${pid[c]}" 2>/dev/null || true
serve c attune-collectd --log "$log" --spool "$SCRATCH/spool"
echo "${url[c]}" >address
[ "$(metric "${admin[c]}" attune_spool_records)" -ge 300 ] || fail "the spool was forgotten"
until_true acked_beyond $(($(acked) + 100))
kafka_start
until_true straight
stop_sending
until_true straight
all_there "the collector killed"
kill -TERM "${pid[c]}"
ended "${pid[c]}" 0 "the collector"

# A small spool gets full: 503, and what was acknowledged is kept.
kafka_stop
serve c attune-collectd --log "$log" --spool "$SCRATCH/small" --spool-size 256K
echo "${url[c]}" >address
send i j k l
padding=$(head -c 900 /dev/zero | tr '\0' x)
full() {
  for n in $(seq 20); do
    [ "$(status_of "${url[c]}/v1/events" -d "{\"type\":\"x.big\",\"customer\":\"anon-z\",\"properties\":{\"p\":\"$padding\"},\"id\":\"z-$((filled += 1))\"}")" = 503 ] && return 0
  done
  return 1
}
filled=0
until_true full
stop_sending
before=$(acked)
kafka_start
until_true straight
expect 202 "$(status_of "${url[c]}/v1/events" -d '{"id":"m-1","type":"view","customer":"anon-m","item":"a"}')" "the spool has room again"
[ "$before" -gt 0 ] && all_there "the spool full"
kill -TERM "${pid[c]}"
ended "${pid[c]}" 0 "the collector with a small spool"

# Without a spool: 503 within a bounded time, never 202, and the same collector takes events again.
serve n attune-collectd --log "$log"
expect 202 "$(status_of "${url[n]}/v1/events" -d '{"id":"n-1","type":"view","customer":"anon-n","item":"a"}')" "without a spool, Kafka there"
for absence in pause stop; do
  kafka_$absence
  for i in 1 2; do
    read -r status took < <(curl -sS --max-time 30 -D head -o answer -w '%{http_code} %{time_total}\n' "${url[n]}/v1/events" \
      -d "{\"id\":\"n-$absence-$i\",\"type\":\"view\",\"customer\":\"anon-n\",\"item\":\"a\"}")
    expect 503 "$status" "without a spool, after kafka_$absence: $(cat answer)"
    grep -qi '^retry-after: ' head || fail "503 without Retry-After"
    awk -v took="$took" 'BEGIN { exit !(took < 15) }' || fail "503 after $took s"
    # Other requests are served meanwhile and afterwards.
    expect 200 "$(status_of --max-time 2 "${url[n]}/healthz")" "alive"
  done
  if [ "$absence" = pause ]; then kafka_resume; else kafka_start; fi
  taken() { [ "$(status_of "${url[n]}/v1/events" -d "{\"id\":\"n-after-$absence\",\"type\":\"view\",\"customer\":\"anon-n\",\"item\":\"a\"}")" = 202 ]; }
  until_true taken
done
kill -TERM "${pid[n]}"
ended "${pid[n]}" 0 "the collector without a spool"
