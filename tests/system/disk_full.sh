#!/usr/bin/env bash
# The disk of the embedded log is full (a limit on the size of files stands for it): 503, then the end with 74; what was acknowledged is there
# when there is room again, and nothing else is claimed.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/service_lib.sh"
declare -A url admin pid

log=file://$SCRATCH/log
cat >limited <<E2
#!/bin/sh
ulimit -f 256 # blocks of 512 or 1,024 bytes
exec attuned "\$@"
E2
chmod +x limited
PATH=$SCRATCH:$PATH
serve d limited --log "$log" --store memory:
padding=$(head -c 2000 /dev/zero | tr '\0' x)
sender() { # sender NAME : until the service does not take events, or is gone
  local i=0 status
  while
    i=$((i + 1))
    status=$(curl -s --max-time 20 -o "answer.$1" -D "head.$1" -w '%{http_code}' "${url[d]}/v1/events" \
    -d "{\"id\":\"$1-$i\",\"type\":\"view\",\"customer\":\"anon-$1\",\"item\":\"a\",\"properties\":{\"p\":\"$padding\"}}")
  do
    case $status in
      202) echo "$1-$i" >>"acked.$1" ;;
      503)
        grep -qi '^retry-after: ' "head.$1" || echo "503 without Retry-After" >>wrong
        echo "$1" >>refused
        ;;
      *) echo "$status: $(cat "answer.$1")" >>wrong ;;
    esac
  done
}
senders=()
for name in a b c d; do sender $name & PIDS+=($!) senders+=($!); done
ended "${pid[d]}" 74 "attuned on a full disk"
wait "${senders[@]}" || true
grep -q 'File too large' d.err || fail "it does not say why it ended: $(cat d.err)"
[ ! -s wrong ] || fail "a sender was told: $(head -n 3 wrong)"
[ -s refused ] || fail "nobody was told 503"
sort acked.* >acked
[ "$(wc -l <acked)" -ge 20 ] || fail "only $(wc -l <acked) events were acknowledged"

# Room again: the same directory, all of it, and it goes on.
serve d attuned --log "$log" --store memory:
attune-consume --log "$log" --topics customer_clicks --until-end | jq -r .id | sort >durable
[ -z "$(comm -23 acked durable)" ] || fail "acknowledged and not in the log: $(comm -23 acked durable | head)"
[ -z "$(uniq -d durable)" ] || fail "twice in the log: $(uniq -d durable | head)"
total() { [ "$(get "${admin[d]}/v1/profiles/anon-{a,b,c,d}" | jq -s 'map(.version) | add')" = "$(wc -l <durable)" ]; }
until_true total
expect 202 "$(status_of "${url[d]}/v1/events" -d '{"type":"view","customer":"anon-a","item":"a"}')" "after the disk has room"
kill -TERM "${pid[d]}"
ended "${pid[d]}" 0 "attuned"
