#!/usr/bin/env bash
# What was acknowledged is never lost: attuned killed -9 in the middle of traffic, TERM under load, twice.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/service_lib.sh"
declare -A url admin pid

log=file://$SCRATCH/log store=rocksdb://$SCRATCH/profiles
serve d attuned --log "$log" --store "$store" --model shop.model

# Sends events one by one, and notes the ids that were acknowledged (202) and no others.
sender() { # sender NAME : until the file `stop` is there
  local i=0
  while [ ! -f stop ]; do
    i=$((i + 1))
    local id=$1-$i
    [ "$(curl -s --max-time 5 -o /dev/null -w '%{http_code}' "$(cat address)/v1/events" \
      -d "{\"id\":\"$id\",\"type\":\"view\",\"customer\":\"anon-$1\",\"item\":\"item-$((i % 50))\"}")" = 202 ] && echo "$id" >>"acked.$1"
  done
}
echo "${url[d]}" >address
for name in a b c d; do sender $name & PIDS+=($!) senders+=($!); done
acked() { [ "$(cat acked.* 2>/dev/null | wc -l)" -ge "$1" ]; }
for round in 1 2 3; do
  until_true acked $((round * 100))
  kill -9 "${pid[d]}"
  wait "${pid[d]}" 2>/dev/null || true
  serve d attuned --log "$log" --store "$store" --model shop.model
  echo "${url[d]}" >address
done
# TERM under load: exit 0, and nothing that was acknowledged is missing.
until_true acked 400
kill -TERM "${pid[d]}"
ended "${pid[d]}" 0 "attuned under load"
touch stop
wait "${senders[@]}" || true
sort acked.* >acked
attune-consume --log "$log" --topics customer_clicks --until-end | jq -r .id | sort -u >durable
[ -z "$(comm -23 acked durable)" ] || fail "acknowledged and not in the log: $(comm -23 acked durable | head)"
# The profiles hold each of them once.
serve d attuned --log "$log" --store "$store" --model shop.model
caught_up() { [ "$(metric "${admin[d]}" attune_model_lag_seconds)" = 0 ] && total; }
total() {
  local sum=0 name
  for name in a b c d; do
    sum=$((sum + $(get "${admin[d]}/v1/profiles/anon-$name" | jq .version)))
  done
  [ "$sum" = "$(wc -l <durable)" ]
}
until_true caught_up

# A log that can not be written ends its writer, and the daemon with it: nobody is told 503 for ever.
cat >small-collectd <<'SH'
#!/usr/bin/env bash
trap '' XFSZ
ulimit -f 16 # KiB
exec attune-collectd "$@"
SH
chmod +x small-collectd
serve e ./small-collectd --log "file://$SCRATCH/small"
for i in $(seq 50); do echo '{"type":"view","customer":"anon-e","item":"item-1"}'; done >views.json
unwritten() { [ "$(status_of "${url[e]}/v1/events" -H 'Content-Type: text/plain' --data-binary @views.json 2>/dev/null)" != 202 ]; }
until_true unwritten
ended "${pid[e]}" 74 "a collector whose log can not be written"
grep -qi "too large" e.err || fail "the daemon does not say what ended it: $(cat e.err)"
